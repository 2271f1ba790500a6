package txn

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/txn/internal/admission"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// anAttempt returns an attempt of a call with these queues, which begins with sql.
func anAttempt(t testing.TB, queues *admission.Queues, sql string, args ...any) *attempt {
	at := &attempt{call: &call{config: &defaults, queuing: queuing{queues: queues, looked: true}}, ctx: t.Context()}
	if sql != "" {
		at.beginsWith(sql, args, true)
	}
	return at
}

const manyConnections = 1000

func TestPermitIsForWhatTheTransactionBeginsWith(t *testing.T) {
	t.Parallel()
	queues := admission.New(manyConnections)
	queues.Narrow(admission.OfStatement("queued", []any{1}, true), 0)
	queues.Narrow(admission.OfParts([]any{"key"}), 0)

	at := anAttempt(t, queues, "")
	at.queue = []wire.Statement{{Kind: wire.Queued, SQL: "queued", Args: []any{1}}}
	sql, args := at.opensWith(&wire.Statement{SQL: "answered"})
	require.NoError(t, at.enter(t.Context(), sql, args))
	require.NotNil(t, at.permit, "what is queued goes first")
	require.Equal(t, admission.OfStatement("queued", nil, true), at.call.queuing.request.Prefix)
	require.NoError(t, at.enter(t.Context(), "", nil))
	at.releasePermit()
	require.Nil(t, at.permit)

	at = anAttempt(t, queues, "")
	require.NoError(t, at.enter(t.Context(), "answered", nil))
	require.Nil(t, at.permit)

	at = anAttempt(t, queues, "")
	at.call.config = &config{key: admission.OfParts([]any{"key"}), first: defaults.first}
	require.NoError(t, at.enter(t.Context(), "answered", nil))
	require.NotNil(t, at.permit, "Key names the queue")
	at.releasePermit()
}

func TestKeyIsOfTheSettingsToo(t *testing.T) {
	t.Parallel()
	queues := admission.New(manyConnections)
	plain := anAttempt(t, queues, "read", 1)
	require.Equal(t, admission.OfStatement("read", []any{1}, true), plain.key())
	set := anAttempt(t, queues, "read", 1)
	set.call.config = &config{first: append(defaults.first[:1:1], wire.Statement{SQL: "set local search_path to a"})}
	require.NotEqual(t, plain.key(), set.key())
	other := anAttempt(t, queues, "read", 1)
	other.call.config = &config{first: append(defaults.first[:1:1], wire.Statement{SQL: "set local search_path to b"})}
	require.NotEqual(t, set.key(), other.key())
}

// The statements of an attempt are kept for its call if it loses; if it does not, they
// tell where transactions that begin so end up.
func TestWhatAnAttemptTouched(t *testing.T) {
	t.Parallel()
	queues := admission.New(manyConnections)
	queues.Narrow(admission.OfStatement("hot", nil, true), 0)
	at := anAttempt(t, queues, "first", 1)
	at.touch("first", []any{1})
	at.touch("write", nil)
	for range 2 * mostTouched {
		at.touch("hot", nil)
	}
	require.Len(t, at.touched, mostTouched)
	require.Equal(t, []admission.Fingerprint{admission.OfStatement("first", []any{1}, true), admission.OfStatement("write", nil, true)}, at.touched[:2])
	at.conflicted = true
	at.releasePermit()
	require.Equal(t, at.touched, at.call.queuing.request.Touched)

	end := func(i int) (waited bool) {
		at := anAttempt(t, queues, "")
		require.NoError(t, at.enter(t.Context(), "first", []any{i}))
		at.touch("hot", nil)
		defer at.releasePermit()
		return at.permit != nil
	}
	require.False(t, end(1000))
	for i := range 100 {
		end(2000 + i)
	}
	require.True(t, end(3000))
}

func TestBusyErrorSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	queues := admission.New(manyConnections)
	queues.Narrow(admission.OfStatement("hot", nil, true), time.Hour)
	holder := anAttempt(t, queues, "")
	require.NoError(t, holder.enter(t.Context(), "hot", nil))
	waiting, err := queues.Enter(&admission.Request{Key: admission.OfStatement("hot", nil, true)})
	require.NoError(t, err)
	require.NotNil(t, waiting.Granted())

	at := anAttempt(t, queues, "")
	at.call.queuing.known().Deadline = time.Now().Add(time.Minute)
	err = at.enter(t.Context(), "hot", nil)
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, 1, busy.Ahead)
	require.Equal(t, time.Hour, busy.RetryAfter())
	require.EqualError(t, err, "txn: busy: 1 wait for the same rows, for about 1h0m0s")
	require.NoError(t, errors.Unwrap(err))

	require.Zero(t, busy.lost)
	require.EqualError(t, &BusyError{Name: "x", Ahead: 1, Wait: time.Hour, lost: 2},
		"txn x: rolled back 2 times, then busy: 1 wait for the same rows, for about 1h0m0s")
}

func TestOnlyAPoolHasQueues(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), "host=127.0.0.1 port=1")
	require.NoError(t, err)
	defer pool.Close()
	require.Same(t, queuesOf(pool, &defaults), queuesOf(struct{ *pgxpool.Pool }{pool}, &defaults), "also of a struct with the pool")
	require.Nil(t, queuesOf(pool, &config{noAdmission: true}))
}

// BenchmarkPermitWithoutQueues measures the cost of admission while nothing conflicts.
func BenchmarkPermitWithoutQueues(b *testing.B) {
	pool, err := pgxpool.New(b.Context(), "host=127.0.0.1 port=1")
	require.NoError(b, err)
	defer pool.Close()
	first, args := "select balance from accounts where id = $1", []any{1}
	for _, off := range []bool{false, true} {
		b.Run(fmt.Sprintf("NoAdmission=%t", off), func(b *testing.B) {
			cfg := config{noAdmission: off, first: defaults.first}
			b.ReportAllocs()
			for b.Loop() {
				at := attempt{call: &call{config: &cfg, db: pool}}
				if err := at.enter(b.Context(), first, args); err != nil {
					b.Fatal(err)
				}
				at.touch(first, args)
				at.releasePermit()
			}
		})
	}
}
