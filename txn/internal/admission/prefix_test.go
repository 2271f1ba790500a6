package admission

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	lookUp  = Fingerprint(1 << 40) // a text
	hotRead = Fingerprint(1 << 41)
	ownRead = Fingerprint(1 << 42)
)

func asks(text, key Fingerprint, trail ...Fingerprint) *Request {
	return &Request{Prefix: text, Key: key, Touched: trail}
}

// A first statement that is never the same does not tell which transactions contend;
// the statements after it do.
func TestFirstStatementThatTellsNothing(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	var loser *Request
	for i := range Fingerprint(2 * leastMute) {
		loser = asks(lookUp, i+1, i+1, hotRead, 1000+i)
		loser.Losses = 1
		s.Lost(loser, nil)
	}
	require.NotNil(t, s.byKey[hotRead])
	require.Nil(t, s.byKey[ownRead])
	require.Nil(t, s.byKey[2*leastMute], "of what is known to tell nothing no queue is made")

	permit, err := s.Enter(loser)
	require.NoError(t, err)
	require.Same(t, s.byKey[hotRead], permit.queue, "a retry waits for what it lost with")
	s.Release(permit, Agreed)

	fresh := Fingerprint(5000)
	permit, err = s.Enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Nil(t, permit, "nobody knows yet where it ends")
	for i := range Fingerprint(leastSeen) {
		require.Nil(t, s.queueForLocked(asks(lookUp, fresh)))
		s.Ended(lookUp, 6000+i, []Fingerprint{6000 + i, hotRead})
	}
	permit, err = s.Enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Same(t, s.byKey[hotRead], permit.queue, "those that began so all ended there")
	s.Release(permit, Agreed)
	permit, err = s.Enter(asks(lookUp+1, fresh))
	require.NoError(t, err)
	require.Nil(t, permit, "another text is another matter")

	for i := range Fingerprint(1000) {
		s.Ended(lookUp, 7000+i, []Fingerprint{7000 + i, ownRead})
	}
	permit, err = s.Enter(asks(lookUp, fresh))
	require.NoError(t, err)
	require.Nil(t, permit, "they end elsewhere by now")
	for i := range Fingerprint(100) {
		s.Ended(lookUp, 8000+i, []Fingerprint{8000 + i, hotRead})
	}
	require.NotNil(t, s.queueForLocked(asks(lookUp, fresh)), "what was long ago does not count")

	s.mu.Lock()
	s.dropLocked(s.byKey[hotRead])
	s.mu.Unlock()
	for _, o := range s.prefixes {
		require.Nil(t, o.queue)
	}
}

// Ten contended rows have ten queues, though all calls look at the same row afterwards,
// and a row beside them costs no wait.
func TestFirstStatementThatTells(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	const rows = 10
	for range 10 {
		for row := range Fingerprint(rows) {
			s.Lost(asks(lookUp, row+1, hotRead), nil)
		}
	}
	require.Equal(t, rows, s.queues.Len())
	require.Nil(t, s.byKey[hotRead])
	for i := range Fingerprint(100) {
		s.Ended(lookUp, 1, []Fingerprint{1, hotRead})
		if i%10 == 0 {
			s.Ended(lookUp, 500, []Fingerprint{500, hotRead})
		}
	}
	permit, err := s.Enter(asks(lookUp, 500))
	require.NoError(t, err)
	require.Nil(t, permit)
}

// A few first statements that never recur do not represent the others.
func TestFirstStatementThatMostlyTells(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	for i := range Fingerprint(4 * leastMute) {
		s.Lost(asks(lookUp, 1, hotRead), nil)
		if i%2 == 0 {
			s.Lost(asks(lookUp, 1000+i, hotRead), nil)
		}
	}
	require.Nil(t, s.byKey[hotRead])
}

// A call that loses repeatedly does not count as another call.
func TestLossesOfOneCallMakeNoQueue(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	r := asks(lookUp, 0, hotRead)
	for i := range Fingerprint(3 * leastMute) {
		r.Key = i + 1
		s.Lost(r, nil)
	}
	require.Nil(t, s.byKey[hotRead])
}
