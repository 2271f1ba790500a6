package ownertest

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// rewriter is a database that changes statements, as a broken builder would.
type rewriter struct {
	DB
	rewrite func(sql string) string
	hits    *int
}

func (r rewriter) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := r.DB.Begin(ctx)
	return rewriterTx{tx, r}, err
}

type rewriterTx struct {
	pgx.Tx
	r rewriter
}

func (t rewriterTx) change(sql string) string {
	changed := t.r.rewrite(sql)
	if changed != sql {
		*t.r.hits++
	}
	return changed
}

func (t rewriterTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.Tx.Query(ctx, t.change(sql), args...)
}

func (t rewriterTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.Tx.Exec(ctx, t.change(sql), args...)
}

// ownerTerm matches the predicate of the owner, but not the one that the harness
// writes.
var ownerTerm = regexp.MustCompile(`("orders"\.|_[0-9]+\.|_p+\.|)"user_id" = \$1`)

// withoutOwner strips the owner from the statements that match.
func withoutOwner(statement string) func(string) string {
	match := regexp.MustCompile(statement)
	return func(sql string) string {
		if !match.MatchString(sql) || strings.Contains(sql, ` r where `) {
			return sql
		}
		return ownerTerm.ReplaceAllString(sql, "($0 or true)")
	}
}

// Each statement that loses its predicate is detected and classified correctly.
func TestALostPredicateIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		statement string // in which it is lost
		class     string
		operation string
	}{
		"get":             {`^select .* from "orders" where .* and "id" = \$2$`, seen, "Get by its key"},
		"all":             {`^select .* from "orders" where [^()]*$`, seen, "All"},
		"where":           {`^select "id".* from "orders" where .* and \(`, seen, "Rows where its key"},
		"exists":          {`^select exists \(select 1 from "orders" where .* and \(`, counted, "Exists where its key"},
		"count":           {`^select count\(\*\) from "orders"`, counted, "Count"},
		"sum":             {`^select sum\("total"\)`, counted, "sum of total"},
		"max":             {`^select max\("number"\)`, counted, "max of number"},
		"avg":             {`^select avg\("total"\)`, counted, "avg of total"},
		"min":             {`^select min\("total"\)`, counted, "min of total"},
		"order":           {`^select .* order by "total" limit`, seen, "OrderBy total"},
		"page":            {`^select .* from "orders" where .* order by "id" limit`, seen, "Page"},
		"lock":            {`^select .* for update$`, seen, "ForUpdate where its key"},
		"update":          {`^update "orders" set .* where .* and "id" = `, changed, "Update of number by its key"},
		"returning":       {`^update "orders" set .* returning`, changed, "Update … Returning of number by its key"},
		"version":         {`^select exists .*"version" = `, distinguishable, "Update of number by its key At(2)"},
		"update where":    {`^with _n .*update "orders"`, changed, "UpdateWhere its key, of title"},
		"delete":          {`^delete from "orders" where .* and "id" = \$2$`, changed, "Delete by its key"},
		"delete at":       {`^delete from "orders" where .* and "version" = `, changed, "Delete At(1) by its key"},
		"delete where":    {`^with _n .*delete from "orders"`, changed, "DeleteWhere its owner"},
		"transfer":        {`^update "orders" set "user_id" = `, changed, "TransferTo the stranger, by its key"},
		"upsert":          {`^insert into "orders" .* on conflict \("id"\)`, changed, "Upsert with its key"},
		"reference":       {`^insert into "orders"`, notRefused, "Insert pointing at the stranger's row of coupons"},
		"many references": {`^insert into "orders" .* unnest\(`, notRefused, "InsertMany pointing at the stranger's row of coupons"},
		"set a reference": {`^update "orders" set "coupon_id"`, notRefused, "Update to point at the stranger's row of coupons"},
		"child":           {`^select .* from "lines" where exists`, seen, "Get by its key"},
		"child's parent":  {`^insert into "lines"`, changed, "QueueInsert with its values and a new key"},
		"child's update":  {`^update "lines"`, changed, "Update of text by its key"},
		"child's delete":  {`^delete from "lines"`, changed, "Queue a delete by its key"},
		"grant":           {`^select .* or exists \(select 1 from "grants"`, seen, "All"},
		"join":            {` join "lines"`, seen, "All"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				ownerkit.MustExec(t, db, worldDDL)
				hits := 0
				r := mustCheck(t, rewriter{db, withoutOwner(c.statement), &hits}, seed, subjectsFor(c.operation, name)...)
				require.NotZero(t, hits, "no statement matched")
				requireFinding(t, r, c.class, c.operation)
			})
		})
	}
}

// A check of InsertMany's references that comes after the insert is detected by a
// conflict with the stranger's row; a missing check is detected by the row.
func TestALateCheckIsFound(t *testing.T) {
	guard := regexp.MustCompile(`^(insert into "lines" .* values \()case when (cast\(case when .* as bigint\)) = 0 then (\$\d+) else .* where false\) end(.*)$`)
	for name, c := range map[string]struct{ into, class, operation string }{
		"late":    {"with w as (${1}${3}${4} returning 1) select count(*) + ${2} from w", tellsByUnique, "InsertMany with its key"},
		"dropped": {"with w as (${1}${3}${4} returning 1) select count(*) from w where coalesce(true, ${2} = 0)", changed, "InsertMany with its values and a new key"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				ownerkit.MustExec(t, db, worldDDL)
				hits := 0
				broken := rewriter{db, func(sql string) string { return guard.ReplaceAllString(sql, c.into) }, &hits}
				r := mustCheck(t, broken, seed, Table(shop.Lines))
				require.NotZero(t, hits, "no statement matched")
				requireFinding(t, r, c.class, c.operation)
			})
		})
	}
}

// subjectsFor returns the subjects that are needed to find a leak.
func subjectsFor(operation, name string) []Subject[UserID] {
	switch {
	case name == "grant":
		return []Subject[UserID]{Select("readers", readers.In)}
	case name == "join":
		return []Subject[UserID]{Select("order lines", view.In)}
	case strings.HasPrefix(name, "child"):
		return []Subject[UserID]{Table(shop.Lines)}
	case strings.Contains(operation, "coupons"):
		return []Subject[UserID]{Table(shop.Coupons), Table(shop.Orders)}
	}
	return []Subject[UserID]{Table(shop.Orders)}
}

var _ owner.DB = rewriterTx{}
