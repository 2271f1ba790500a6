package txn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	lookUp  = fingerprint(1 << 40) // a text
	hotRead = fingerprint(1 << 41)
	ownRead = fingerprint(1 << 42)
)

func asks(text, key fingerprint, trail ...fingerprint) *request {
	return &request{opening: text, key: key, trail: trail}
}

// A first statement that is never the same does not tell which transactions contend;
// the statements after it do.
func TestFirstStatementThatTellsNothing(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	var loser *request
	for i := range fingerprint(2 * leastMute) {
		loser = asks(lookUp, i+1, i+1, hotRead, 1000+i)
		loser.lost = 1
		a.conflict(loser, nil)
	}
	require.NotNil(t, a.byKey[hotRead])
	require.Nil(t, a.byKey[ownRead])
	require.Nil(t, a.byKey[2*leastMute], "of what is known to tell nothing no line is made")

	turn, err := a.enter(loser)
	require.NoError(t, err)
	require.Same(t, a.byKey[hotRead], turn.line, "a retry waits for what it lost with")
	a.leave(turn, agreed)

	fresh := fingerprint(5000)
	turn, err = a.enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Nil(t, turn, "nobody knows yet where it ends")
	for i := range fingerprint(leastSeen) {
		require.Nil(t, a.lineFor(asks(lookUp, fresh)))
		a.ended(lookUp, 6000+i, []fingerprint{6000 + i, hotRead})
	}
	turn, err = a.enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Same(t, a.byKey[hotRead], turn.line, "those that began so all ended there")
	a.leave(turn, agreed)
	turn, err = a.enter(asks(lookUp+1, fresh))
	require.NoError(t, err)
	require.Nil(t, turn, "another text is another matter")

	for i := range fingerprint(1000) {
		a.ended(lookUp, 7000+i, []fingerprint{7000 + i, ownRead})
	}
	turn, err = a.enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Nil(t, turn, "they end elsewhere by now")
	for i := range fingerprint(100) {
		a.ended(lookUp, 8000+i, []fingerprint{8000 + i, hotRead})
	}
	require.NotNil(t, a.lineFor(asks(lookUp, fresh)), "what was long ago does not count")

	a.mu.Lock()
	a.drop(a.byKey[hotRead])
	a.mu.Unlock()
	for _, o := range a.openings {
		require.Nil(t, o.line)
	}
}

// Ten contended rows have ten queues, though all calls look at the same row afterwards,
// and a row beside them costs no wait.
func TestFirstStatementThatTells(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	const rows = 10
	for range 10 {
		for row := range fingerprint(rows) {
			a.conflict(asks(lookUp, row+1, hotRead), nil)
		}
	}
	require.Equal(t, rows, a.lines.Len())
	require.Nil(t, a.byKey[hotRead])
	for i := range fingerprint(100) {
		a.ended(lookUp, 1, []fingerprint{1, hotRead})
		if i%10 == 0 {
			a.ended(lookUp, 500, []fingerprint{500, hotRead})
		}
	}
	turn, err := a.enter(asks(lookUp, 500))
	require.NoError(t, err)
	require.Nil(t, turn)
}

// A few first statements that never recur do not represent the others.
func TestFirstStatementThatMostlyTells(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	for i := range fingerprint(4 * leastMute) {
		a.conflict(asks(lookUp, 1, hotRead), nil)
		if i%2 == 0 {
			a.conflict(asks(lookUp, 1000+i, hotRead), nil)
		}
	}
	require.Nil(t, a.byKey[hotRead])
}

// A call that loses repeatedly does not count as another call.
func TestSuspectsOfOneCallAreNone(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	r := asks(lookUp, 0, hotRead)
	for i := range fingerprint(3 * leastMute) {
		r.key = i + 1
		a.conflict(r, nil)
	}
	require.Nil(t, a.byKey[hotRead])
}
