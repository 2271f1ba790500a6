package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
)

// perWorld is the number of operations on one set of names.
const perWorld = 200

// proving is a run of operations that are built and proven without a database.
type proving struct {
	s      *source
	report report
	world  *world
	left   int
	// mutate changes a statement before it is proven, to show that the prover
	// notices.
	mutate func(statement) statement
}

func newProving(s *source) *proving { return &proving{s: s, report: report{}} }

// step makes one operation, proves the statements that it sends, and returns their
// number.
func (p *proving) step() (int, error) {
	if p.left == 0 {
		w, err := newWorld(p.s.anyName)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "owner: ") {
				return 0, fmt.Errorf("a declaration failed otherwise than by a refusal: %w", err)
			}
			p.report.of("declaration").calls++
			p.report.of("declaration").refused++
			return 0, nil
		}
		p.report.of("declaration").calls++
		p.world, p.left = w, perWorld
	}
	p.left--
	op := pick(p.s, p.world.ops...)(p.s, pick(p.s, p.world.actors...))
	rec := &recorder{}
	err := op.run(context.Background(), rec)
	return len(rec.sent), p.prove(op, rec, err)
}

// prove proves the statements of an operation.
func (p *proving) prove(op *operation, rec *recorder, err error) error {
	t := p.report.of(op.kind)
	t.calls++
	switch sent := len(rec.sent); {
	case op.misuse && (sent > 0 || err == nil):
		return fmt.Errorf("%s was to be refused, but ended with %v after %d statements: %s", op.kind, err, sent, rec.sent)
	case op.misuse && op.refusal != nil && !op.refusal(err):
		return fmt.Errorf("%s was refused with another error: %w", op.kind, err)
	case op.misuse:
		t.refused++
		return nil
	case sent == 0 && !op.empty:
		return fmt.Errorf("%s sent nothing: %w", op.kind, err)
	}
	for _, st := range rec.sent {
		if p.mutate != nil {
			st = p.mutate(st)
		}
		t.statements++
		g, err := prove.Statement(st.sql, st.args, &op.claim)
		if err == nil {
			err = errors.Join(g.PostgreSQL, g.CockroachDB)
		}
		if g.PostgreSQL == nil {
			t.postgresql++
		}
		if g.CockroachDB == nil {
			t.cockroachdb++
		}
		if err != nil {
			return &escape{kind: op.kind, st: st, err: err}
		}
		t.proven++
	}
	return nil
}

// escape is a statement that is not proven.
type escape struct {
	kind string
	st   statement
	err  error
}

func (e *escape) Error() string {
	return fmt.Sprintf("%s is not proven: %v\n\t%s\n\t%q", e.kind, e.err, e.st.sql, e.st.args)
}

func (e *escape) Unwrap() error { return e.err }
