package txn_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

var (
	programs    = flag.Int("programs", 200, "how many random programs of goroutines are run on each engine; a tenth of them with -short")
	programSeed = flag.Uint64("program-seed", 1, "of the first of them")
)

// Random programs of up to four goroutines over all methods of Tx, also after the
// function has returned: no result is wrong, and nothing is left behind.
func TestRandomProgramsOfGoroutines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), "create table effects (id bigint primary key)")
		require.NoError(t, err)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 3 })
		n := *programs
		if testing.Short() {
			n /= 10
		}
		for i := range n {
			seed := *programSeed + uint64(i)
			label := fmt.Sprintf("%s-%d", db.Schema, seed)
			pprof.Do(t.Context(), pprof.Labels("program", label), func(ctx context.Context) {
				p := &program{t: t, db: pool, seed: seed, first: int64(i) * 1_000_000}
				if seed%4 == 0 {
					p.db = wrapper{pool}
				}
				p.run(ctx)
				requireGivenBack(t, pool)
				p.judge(db)
			})
			requireNoGoroutine(t, label)
		}
	})
}

// requireNoGoroutine waits until all goroutines with the label have ended, including
// those that pgx starts to close a connection.
func requireNoGoroutine(t *testing.T, label string) {
	t.Helper()
	var profile bytes.Buffer
	look := time.NewTicker(10 * tick)
	defer look.Stop()
	for give := time.Now().Add(2 * eventually); ; <-look.C {
		profile.Reset()
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
		if !bytes.Contains(profile.Bytes(), []byte(label)) {
			return
		}
		require.True(t, time.Now().Before(give), "goroutines of program %s are left:\n%s", label, &profile)
	}
}

// program is a call whose function starts goroutines that all use its Tx.
type program struct {
	t     *testing.T
	db    txn.DB
	seed  uint64
	first int64 // of its ids
	next  atomic.Int64

	mu       sync.Mutex
	asked    map[int64]bool // ids that may be in the table
	told     map[int64]int  // those that a statement said it has inserted, in which attempt
	undone   bool           // a savepoint was undone, with whatever was inserted since
	returned atomic.Bool    // the call has
	late     sync.WaitGroup // goroutines that nobody waits for

	attempt int
	err     error
}

var errOfProgram = errors.New("the program's own")

func (p *program) run(ctx context.Context) {
	p.asked, p.told = make(map[int64]bool), make(map[int64]int)
	r := rand.New(rand.NewPCG(p.seed, 0))
	awaits, fails := r.IntN(3) > 0, r.IntN(4) == 0
	p.attempt, p.err = txn.RunInTx(ctx, p.db, func(ctx context.Context, tx *txn.Tx) (int, error) {
		var all sync.WaitGroup
		for g := range r.IntN(4) {
			seed := r.Uint64()
			p.late.Add(1)
			all.Add(1)
			go func() {
				defer p.late.Done()
				defer all.Done()
				p.steps(ctx, tx, rand.New(rand.NewPCG(seed, uint64(g))))
			}()
		}
		p.steps(ctx, tx, r)
		if awaits {
			all.Wait()
		}
		if fails {
			return 0, errOfProgram
		}
		return tx.Attempt(), nil
	})
	p.returned.Store(true)
	p.late.Wait()
}

func (p *program) steps(ctx context.Context, tx *txn.Tx, r *rand.Rand) {
	for range 1 + r.IntN(6) {
		p.step(ctx, tx, r, 0)
	}
}

// insert is a statement that leaves a row, with its id.
func (p *program) insert() (string, int64) {
	id := p.first + p.next.Add(1)
	p.mu.Lock()
	p.asked[id] = true
	p.mu.Unlock()
	return "insert into effects values ($1)", id
}

// tell records that a statement begun at that time reported success.
func (p *program) tell(tx *txn.Tx, tooLate bool, err error, ids ...int64) {
	if err != nil {
		return
	}
	if tooLate {
		p.t.Errorf("program %d: a statement that began after the call had returned says that it was carried out", p.seed)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.told[id] = tx.Attempt()
	}
}

func (p *program) undo() {
	p.mu.Lock()
	p.undone = true
	p.mu.Unlock()
}

func (p *program) step(ctx context.Context, tx *txn.Tx, r *rand.Rand, depth int) {
	switch r.IntN(8) {
	case 0:
		ctx = context.Background()
	case 1:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(3))*time.Millisecond)
		defer cancel()
	}
	tooLate := p.returned.Load()
	sql, id := p.insert()
	switch r.IntN(16) {
	case 0, 1:
		_, err := tx.Exec(ctx, sql, id)
		p.tell(tx, tooLate, err, id)
	case 2:
		var got int64
		p.tell(tx, tooLate, tx.QueryRow(ctx, sql+" returning id", id).Scan(&got), id)
	case 3:
		p.query(ctx, tx, r, tooLate)
	case 4:
		tx.Queue(sql, id)
	case 5:
		tx.QueueExpect(1, sql, id)
	case 6:
		tx.OnCommit(func(context.Context) {})
	case 7:
		p.sendBatch(ctx, tx, r, tooLate, sql, id)
	case 8:
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"effects"}, []string{"id"}, pgx.CopyFromRows([][]any{{id}}))
		p.tell(tx, tooLate, err, id)
	case 9:
		_, err := tx.Prepare(ctx, fmt.Sprintf("p%d", id), "select 1")
		p.tell(tx, tooLate, err)
	case 10:
		if conn := tx.Conn(); conn != nil && tooLate {
			p.t.Errorf("program %d: a connection after the call has returned", p.seed)
		}
	case 11:
		_ = tx.Commit(ctx)
	case 12:
		var b pgx.Batch
		b.Queue(sql, id)
		err := txn.Batch(ctx, tx, &b)
		if err != nil {
			p.undo()
		}
		p.tell(tx, tooLate, err, id)
	case 13:
		p.savepoint(ctx, tx, r, tooLate, depth)
	case 14:
		if depth > 2 {
			return
		}
		err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			p.step(ctx, tx, r, depth+1)
			p.step(ctx, tx, r, depth+1)
			if r.IntN(3) == 0 {
				return errOfProgram
			}
			return nil
		})
		if err != nil {
			p.undo()
		}
	case 15:
		_ = tx.LargeObjects()
	}
}

func (p *program) query(ctx context.Context, tx *txn.Tx, r *rand.Rand, tooLate bool) {
	rows, err := tx.Query(ctx, "select id from effects")
	p.tell(tx, tooLate, err)
	if err != nil {
		return
	}
	for range r.IntN(5) {
		var id int64
		if !rows.Next() || rows.Scan(&id) != nil {
			break
		}
	}
	if r.IntN(2) == 0 {
		rows.Close()
	}
}

func (p *program) sendBatch(ctx context.Context, tx *txn.Tx, r *rand.Rand, tooLate bool, sql string, id int64) {
	var b pgx.Batch
	b.Queue(sql, id)
	_, second := p.insert()
	b.Queue(sql, second).Exec(func(pgconn.CommandTag) error { return nil })
	results := tx.SendBatch(ctx, &b)
	if r.IntN(2) == 0 {
		_, err := results.Exec()
		p.tell(tx, tooLate, err)
	}
	if r.IntN(3) > 0 {
		p.tell(tx, tooLate, results.Close(), id, second)
	}
}

func (p *program) savepoint(ctx context.Context, tx *txn.Tx, r *rand.Rand, tooLate bool, depth int) {
	sp, err := tx.Begin(ctx)
	p.tell(tx, tooLate, err)
	if err != nil || depth > 2 {
		return
	}
	p.step(ctx, sp.(*txn.Tx), r, depth+1)
	switch r.IntN(3) {
	case 0:
		_ = sp.Commit(ctx)
	case 1:
		p.undo()
		_ = sp.Rollback(ctx)
	}
}

// judge compares the program's results with the contents of the table.
func (p *program) judge(db *dbtest.DB) {
	rows, err := db.Query(context.Background(), "select id from effects where id > $1 and id <= $2", p.first, p.first+999_999)
	require.NoError(p.t, err)
	there, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(p.t, err)
	found := make(map[int64]bool)
	for _, id := range there {
		require.True(p.t, p.asked[id], "program %d: row %d from nowhere", p.seed, id)
		found[id] = true
	}
	switch claimOf(p.err) {
	case unknown:
		p.t.Errorf("program %d: told unknown, although COMMIT was not cut: %v", p.seed, p.err)
	case rolledBack:
		require.Empty(p.t, there, "program %d: told rolled back: %v", p.seed, p.err)
	case committed:
		require.NoError(p.t, p.err, "program %d", p.seed)
		for id, attempt := range p.told {
			if attempt == p.attempt && !p.undone {
				require.True(p.t, found[id], "program %d: row %d, of a statement that said it was carried out", p.seed, id)
			}
		}
	}
}
