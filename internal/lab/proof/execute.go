package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
)

func validText(text string) bool { return utf8.ValidString(text) }

// execution runs operations on a database beside the oracle, and also proves them.
// Several can share a server, each with a schema of its own.
type execution struct {
	proving
	pool   *pgxpool.Pool
	engine devdb.Engine
	recent []string // operations since the last comparison of the tables
}

// perFill is the number of operations on the rows of one filling, and perLook the
// number of operations between comparisons of whole tables.
const (
	perFill = 60
	perLook = 10
)

func newExecution(ctx context.Context, s *source, pool *pgxpool.Pool, engine devdb.Engine) (*execution, error) {
	s.tame = true
	x := &execution{proving: *newProving(s), pool: pool, engine: engine}
	var err error
	if x.world, err = newWorld(func() string { return s.declarable() }); err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, fmt.Sprintf("create sequence ids start %d", firstID)); err != nil {
		return nil, err
	}
	for _, st := range x.world.stores {
		if _, err := pool.Exec(ctx, st.ddl(x.cockroach())); err != nil {
			return nil, fmt.Errorf("%s: %w", st.ddl(x.cockroach()), err)
		}
	}
	return x, nil
}

func (x *execution) cockroach() bool { return x.engine == devdb.CockroachDB }

// declarable returns a table name that both engines accept.
func (s *source) declarable() string {
	for {
		if name := s.name(); len(name) <= 55 && !strings.Contains(name, ".") && !strings.HasPrefix(name, "_") {
			return name
		}
	}
}

// step runs one operation.
func (x *execution) step(ctx context.Context) error {
	if x.left%perLook == 0 {
		if err := x.look(ctx); err != nil {
			return err
		}
	}
	if x.left == 0 {
		x.left = perFill
		for _, st := range x.world.stores {
			if err := st.fill(ctx, x.pool, x.s); err != nil {
				return err
			}
		}
	}
	x.left--
	op := pick(x.s, x.world.ops...)(x.s, pick(x.s, x.world.actors...))
	if op.queued {
		rec := &recorder{}
		return x.prove(op, rec, op.run(ctx, rec))
	}
	return x.run(ctx, op)
}

func (x *execution) run(ctx context.Context, op *operation) error {
	var expected outcome
	if !op.misuse {
		expected = op.expected(x.cockroach())
	}
	rec := &recorder{db: x.pool}
	var err error
	if op.tx {
		err = pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
			rec.db = tx
			return op.run(ctx, rec)
		})
	} else {
		err = op.run(ctx, rec)
	}
	x.recent = append(x.recent, fmt.Sprintf("%s: %v\n\t%q", op.kind, err, rec.sent))
	if err := x.prove(op, rec, err); err != nil {
		return err
	}
	if op.misuse {
		return nil
	}
	x.report.of(op.kind).executed[string(x.engine)]++
	if x.tolerated(op, rec, err) {
		return nil
	}
	problem := expected.check(err)
	if problem == nil && err == nil && op.result != nil {
		problem = op.result(x.cockroach())
	}
	if problem != nil {
		return fmt.Errorf("%s on %s: %w\n%s", op.kind, x.engine, problem, x.recent[len(x.recent)-1])
	}
	return nil
}

// tolerated reports whether the database refused a statement because of its own
// limits, in a case that the package does not promise.
func (x *execution) tolerated(op *operation, rec *recorder, err error) bool {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return false
	}
	for _, st := range rec.sent {
		if !storable(st.args) && (pgErr.Code == "22021" || pgErr.Code == "22P05" || x.cockroach()) {
			return true
		}
	}
	// No SKIP LOCKED before v22.2.
	return x.cockroach() && op.tx && op.claim.Verb == prove.Read && (pgErr.Code == "0A000" || pgErr.Code == "42601")
}

// look compares all tables with the oracle: the rows of the actor, and those of all
// others.
func (x *execution) look(ctx context.Context) error {
	for _, st := range x.world.stores {
		have, err := st.load(ctx, x.pool)
		if err != nil {
			return err
		}
		if want := st.known(); !slices.Equal(have, want) && (len(have) > 0 || len(want) > 0) {
			return fmt.Errorf("on %s the table of %T has\n\t%q\nand not\n\t%q\nafter\n%s", x.engine, st, have, want, strings.Join(x.recent, "\n"))
		}
	}
	x.recent = nil
	return nil
}
