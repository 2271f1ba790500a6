package txn

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// beginsWith returns an attempt whose first statement is sql, with its own admission.
func beginsWith(t testing.TB, a *admission, sql string, args ...any) *attempt {
	at := &attempt{call: &call{config: &defaults, lines: a, looked: true}, ctx: t.Context()}
	if sql != "" {
		at.beginsWith(&statement{sql: sql, args: args}, true)
	}
	return at
}

func TestTurnIsForWhatTheTransactionBeginsWith(t *testing.T) {
	t.Parallel()
	lines := newAdmission(unlimited)
	suspected(lines, fingerprintOf("queued", []any{1}, true))
	suspected(lines, keyOf([]any{"key"}))

	at := beginsWith(t, lines, "")
	at.queue = []statement{{kind: queued, sql: "queued", args: []any{1}}}
	require.NoError(t, at.takeTurn(t.Context(), &statement{kind: answered, sql: "answered"}))
	require.NotNil(t, at.turn, "what is queued goes first")
	require.Equal(t, fingerprintOf("queued", nil, true), at.call.asks.opening)
	require.NoError(t, at.takeTurn(t.Context(), nil))
	at.endTurn()
	require.Nil(t, at.turn)

	at = beginsWith(t, lines, "")
	require.NoError(t, at.takeTurn(t.Context(), &statement{kind: answered, sql: "answered"}))
	require.Nil(t, at.turn)

	at = beginsWith(t, lines, "")
	at.call.config = &config{key: keyOf([]any{"key"}), first: defaults.first}
	require.NoError(t, at.takeTurn(t.Context(), &statement{kind: answered, sql: "answered"}))
	require.NotNil(t, at.turn, "Key names the line")
	at.endTurn()
}

func TestFingerprintIsOfTheSettingsToo(t *testing.T) {
	t.Parallel()
	lines := newAdmission(unlimited)
	plain := beginsWith(t, lines, "read", 1)
	require.Equal(t, fingerprintOf("read", []any{1}, true), plain.key())
	set := beginsWith(t, lines, "read", 1)
	set.call.config = &config{first: append(defaults.first[:1:1], statement{sql: "set local search_path to a"})}
	require.NotEqual(t, plain.key(), set.key())
	other := beginsWith(t, lines, "read", 1)
	other.call.config = &config{first: append(defaults.first[:1:1], statement{sql: "set local search_path to b"})}
	require.NotEqual(t, set.key(), other.key())
}

// The statements of an attempt are kept for its call if it loses; if it does not, they
// tell where transactions that begin so end up.
func TestTrail(t *testing.T) {
	t.Parallel()
	lines := newAdmission(unlimited)
	suspected(lines, fingerprintOf("hot", nil, true))
	at := beginsWith(t, lines, "first", 1)
	at.follow([]statement{{kind: answered, sql: "first", args: []any{1}}, {kind: queued, sql: "write"}})
	for range 2 * mostTrail {
		at.follow([]statement{{kind: answered, sql: "hot"}})
	}
	require.Len(t, at.trail, mostTrail)
	require.Equal(t, []fingerprint{fingerprintOf("first", []any{1}, true), fingerprintOf("write", nil, true)}, at.trail[:2])
	at.conflicted = true
	at.endTurn()
	require.Equal(t, at.trail, at.call.asks.trail)

	lines.openingOf(fingerprintOf("other", nil, true))
	for i := range leastSeen {
		at = beginsWith(t, lines, "", nil)
		require.NoError(t, at.takeTurn(t.Context(), &statement{kind: answered, sql: "other", args: []any{i}}))
		at.follow([]statement{{kind: answered, sql: "hot"}})
		at.endTurn()
	}
	require.NotNil(t, lines.openings[fingerprintOf("other", nil, true)].likely())
}

// BenchmarkTurnWithoutLines measures the cost of admission while nothing conflicts.
func BenchmarkTurnWithoutLines(b *testing.B) {
	pool, err := pgxpool.New(b.Context(), "host=127.0.0.1 port=1")
	require.NoError(b, err)
	defer pool.Close()
	first := &statement{kind: answered, sql: "select balance from accounts where id = $1", args: []any{1}}
	sent := []statement{*first}
	for _, off := range []bool{false, true} {
		b.Run(fmt.Sprintf("NoAdmission=%t", off), func(b *testing.B) {
			cfg := config{noAdmission: off, first: defaults.first}
			b.ReportAllocs()
			for b.Loop() {
				at := attempt{call: &call{config: &cfg, db: pool}}
				if err := at.takeTurn(b.Context(), first); err != nil {
					b.Fatal(err)
				}
				at.follow(sent)
				at.endTurn()
			}
		})
	}
}
