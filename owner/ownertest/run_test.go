package ownertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// A correct world has no findings, and is left unchanged.
func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, worldDDL)
		r := mustCheck(t, db, seed, subjects()...)
		require.Empty(t, report(r.findings))
		require.Empty(t, r.notes)

		for _, table := range []string{"orders", "lines", "coupons", "grants"} {
			ownerkit.RequireRows(t, db, 0, table)
		}
		Run(t, db, me, other, seed, subjects()...)
	})
}

// Without a seed, rows are made from the types.
func TestRowsAreMadeByTheirTypes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, worldDDL)
		r := mustCheck(t, db, nil, subjects()...)
		require.Empty(t, report(r.findings))
	})
}

type recording struct {
	testing.TB
	errors, fatals []string
}

func (r *recording) Helper() {}

func (r *recording) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recording) Fatalf(format string, args ...any) {
	r.fatals = append(r.fatals, fmt.Sprintf(format, args...))
}

// Findings fail the test, once for each kind.
func TestRunFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, worldDDL)
		hits := 0
		rec := &recording{TB: t}
		Run(rec, rewriter{db, withoutOwner(`^select count`), &hits}, me, other, seed, Table(grants, PrimaryKey))
		require.Len(t, rec.errors, 1)
		require.Contains(t, rec.errors[0], "ownertest: grants: a row of the stranger's is counted:\n\t")
		require.Contains(t, rec.errors[0], "\n\tCount: with the stranger's rows it gave 4, without them 2")
		require.Empty(t, rec.fatals)
	})
}

func TestMisuse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, worldDDL+"insert into coupons values (1, 44, 'x');")
		for text, f := range map[string]func(t testing.TB){
			"there is nothing to test":              func(t testing.TB) { Run(t, db, me, other, seed) },
			"make subjects with Table":              func(t testing.TB) { Run(t, db, me, other, seed, Subject[UserID]{}) },
			"a table that was not declared":         func(t testing.TB) { Run(t, db, me, other, seed, Table[Coupon, UserID](nil)) },
			"the same owner":                        func(t testing.TB) { Run(t, db, me, me, seed, subjects()...) },
			"a scope was not made by owner.For":     func(t testing.TB) { Run(t, db, me, owner.Scope[UserID]{}, seed, subjects()...) },
			"the database is nil":                   func(t testing.TB) { Run(t, nil, me, other, seed, subjects()...) },
			"the stranger has rows before":          func(t testing.TB) { Run(t, db, me, ownerkit.Scope(UserID(44)), seed, subjects()...) },
			"make rows of mine: broken":             func(t testing.TB) { Run(t, db, me, other, failingSeed, subjects()...) },
			"coupons: there are no rows of mine":    func(t testing.TB) { Run(t, db, me, other, emptySeed, Table(shop.Coupons)) },
			"there is no row of orders to point at": func(t testing.TB) { Run(t, db, me, other, nil, Table(shop.Lines)) },
			"grants: it refers to a table that is not": func(t testing.TB) {
				Run(t, db, me, other, seed, Table(owner.MustTable[Grant, UserID]("grants", toNothing)))
			},
		} {
			rec := &recording{TB: t}
			f(rec)
			require.Len(t, rec.fatals, 1, text)
			require.Contains(t, rec.fatals[0], text)
			require.Empty(t, rec.errors)
		}
	})
}

// toNothing is a reference to a table that nothing declares.
var toNothing = owner.References(new(owner.Forward[Order]), func(g *Grant) any { return &g.Order })

func failingSeed(context.Context, pgx.Tx, owner.Scope[UserID]) error { return errors.New("broken") }

func emptySeed(context.Context, pgx.Tx, owner.Scope[UserID]) error { return nil }

// An operation that fails in the same way on a row of one's own is reported.
func TestWhatCannotBeTestedIsSaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, worldDDL)
		hits := 0
		refusing := func(sql string) string {
			if strings.HasPrefix(sql, "delete from") {
				return "select 1/0"
			}
			return sql
		}
		r := mustCheck(t, rewriter{db, refusing, &hits}, seed, Table(grants, PrimaryKey))
		require.Len(t, r.notes, 1)
		require.Contains(t, r.notes[0], "grants: Delete by its key is not tested")
	})
}
