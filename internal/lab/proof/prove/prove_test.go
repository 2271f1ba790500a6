package prove

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tables of the statements that are written by hand here.
var (
	docs = &Table{
		Name: "docs", Owners: []string{"owner"}, Key: []string{"id"}, Version: "version",
		Columns: []Column{{Name: "id"}, {Name: "owner"}, {Name: "title"}, {Name: "version"}, {Name: "secret", Hidden: true}},
	}
	items = &Table{
		Name: "items", Key: []string{"id"}, Through: docs, Parent: []string{"doc"},
		Columns: []Column{{Name: "id"}, {Name: "doc"}, {Name: "text"}},
	}
	notes = &Table{
		Name: "notes", Owners: []string{"owner"}, Key: []string{"id"},
		Columns: []Column{{Name: "id"}, {Name: "owner"}, {Name: "doc"}, {Name: "text"}}, References: []Reference{{Parent: docs, From: []string{"doc"}}},
	}
	drafts = &Table{
		Name: "drafts", Owners: []string{"tenant", "owner"}, Key: []string{"id"},
		Columns: []Column{{Name: "id"}, {Name: "tenant"}, {Name: "owner"}, {Name: "text"}},
	}
	countries = &Table{Name: "countries", Shared: true, Key: []string{"code"}, Columns: []Column{{Name: "code"}, {Name: "name"}}}
	grants    = &Table{
		Name: "grants", Owners: []string{"reader"}, Key: []string{"doc"},
		Columns: []Column{{Name: "doc"}, {Name: "reader"}, {Name: "role"}},
	}
	composed = &Table{Name: "e\u0301", Owners: []string{"owner"}, Key: []string{"id"}, Columns: []Column{{Name: "id"}, {Name: "owner"}}}
	tables   = []*Table{docs, items, notes, drafts, countries, grants, composed}
)

// The scope of all: the owner is 7, and everybody's favourite argument is 1.
func claimed(t *Table, verb Verb) *Claim {
	return &Claim{Tables: tables, Table: t, Verb: verb, Owner: []any{int64(7)}}
}

func arguments(n int) []any {
	args := []any{int64(7)}
	for len(args) < n {
		args = append(args, int64(1))
	}
	return args[:n]
}

// texts are proven, or not, of one claim. Each has as many arguments as its
// number says.
type texts struct {
	claim *Claim
	args  int
	sql   []string
}

func proves(t *testing.T, all ...texts) {
	t.Helper()
	for _, set := range all {
		for _, sql := range set.sql {
			g, err := Statement(sql, arguments(set.args), set.claim)
			require.NoError(t, err, sql)
			require.NoError(t, g.PostgreSQL, sql)
			require.NoError(t, g.CockroachDB, sql)
		}
	}
}

// refuses checks each grammar alone, so that a failure of the other one is no
// excuse.
func refuses(t *testing.T, all ...texts) {
	t.Helper()
	for _, set := range all {
		for _, sql := range set.sql {
			if lexical(sql) != nil {
				continue
			}
			if q, err := parsePostgreSQL(sql); err == nil {
				assert.Error(t, byTree(q, arguments(set.args), set.claim, exact), "PostgreSQL: %s", sql)
			}
			if q, err := parseCockroachDB(sql); err == nil {
				assert.Error(t, byTree(q, arguments(set.args), set.claim, composedName), "CockroachDB: %s", sql)
			}
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	read, lines, both := claimed(docs, Read), claimed(items, Read), claimed(drafts, Read)
	both.Owner = []any{int64(7), int64(1)}
	proves(t, texts{read, 1, []string{
		`select "id" from "docs" where "owner" = $1`,
		`select "id" from "docs" where $1 = "owner"`,
		`select "id" from "docs" where ("owner" = $1) and (("title" is null or "id" is null))`,
		`select d."id" from "docs" as d where d."owner" = $1 for update`,
		`select d."id" from "docs" as d join "notes" as n on n."doc" = d."id" and n."owner" = $1 where d."owner" = $1`,
		`select d."id" from "docs" as d left join "notes" as n on n."doc" = d."id" and n."owner" = $1 where d."owner" = $1`,
		`select d."id" from "notes" as n right join "docs" as d on n."doc" = d."id" and n."owner" = $1 where d."owner" = $1`,
		`select count(*) from (select 1 from "docs" where "owner" = $1) as _n`,
		`select exists (select 1 from "docs" where "owner" = $1)`,
		`select "id" from "docs" where "owner" = $1 and exists (select 1 from "notes" as _1 where _1."doc" = "docs"."id" and _1."owner" = $1)`,
		`select "title", sum("id") from "docs" where "owner" = $1 group by "title" having count(*) = 1 order by "title" desc limit 2`,
		`select d."id" from "docs" as d join "countries" as c on c."code" = d."title" where d."owner" = $1`,
	}}, texts{lines, 1, []string{
		`select "id" from "items" where exists (select 1 from "docs" as _p where _p."id" = "items"."doc" and _p."owner" = $1)`,
		`select i."id" from "items" as i join "docs" as d on d."id" = i."doc" and d."owner" = $1`,
	}}, texts{both, 2, []string{`select "id" from "drafts" where "tenant" = $1 and "owner" = $2`}},
		texts{claimed(composed, Read), 1, []string{"select \"id\" from \"e\u0301\" where \"owner\" = $1"}})

	refuses(t, texts{read, 1, []string{
		`select "id" from "docs"`,
		`select "id" from "docs" where $1 = $1`,
		`select "id" from "docs" where "owner" = $1 or true`,
		`select "id" from "docs" where "owner" = $1 or "id" is null`,
		`select "id" from "docs" where "title" is null and ("id" is null and ("owner" = $1 or "id" is not null))`,
		`select "id" from "docs" where "owner" = $1 or "owner" = $1 and "id" is null or "title" is null`,
		`select "id" from "docs" where not "owner" = $1`,
		`select "id" from "docs" where not ("owner" = $1 and "id" is null)`,
		`select "id" from "docs" where ("owner" = $1) is not null`,
		`select "id" from "docs" where case when "owner" = $1 then true else true end`,
		`select "id" from "docs" where coalesce("owner" = $1, true)`,
		`select "id" from "docs" where "owner" <> $1`,
		`select "id" from "docs" where "owner" >= $1`,
		`select "id" from "docs" where "owner" is not distinct from $1`,
		`select "id" from "docs" where "owner" in ($1, "owner")`,
		`select "id" from "docs" where cast("owner" as text) = cast($1 as text)`,
		`select "id" from "docs" where "owner" + 0 = $1`,
		`select "id" from "docs" where ("owner", "id") = ($1, "id")`,
		`select "id" from "docs" where "id" = $1`,
		`select "id" from "docs" having "owner" = $1`,
		`select "id" from "docs" order by "owner" = $1`,
		`select "owner" = $1 from "docs"`,
		`select "id" from "docs" where exists (select 1 from "docs" as d where d."owner" = $1)`,
		`select "id" from "docs" where exists (select 1 where "owner" = $1)`,
		`select d."id" from "docs" as d, "notes" as n where n."owner" = $1`,
		`select d."id" from "docs" as d, "notes" as n where d."owner" = n."owner" and n."owner" = $1`,
		`select d."id" from "docs" as d left join "notes" as n on n."doc" = d."id" and n."owner" = $1 and d."owner" = $1`,
		`select d."id" from "docs" as d left join "notes" as n on n."doc" = d."id" where d."owner" = $1`,
		`select d."id" from "notes" as n right join "docs" as d on n."doc" = d."id" and n."owner" = $1 and d."owner" = $1`,
		`select d."id" from "docs" as d full join "notes" as n on n."owner" = $1 and d."owner" = $1`,
		`select d."id" from "docs" as d cross join "notes" as n where d."owner" = $1`,
		`select "id" from "docs" where "owner" = $1 and exists (select 1 from "notes" as _1 where _1."doc" = "docs"."id")`,
		`select "id" from "docs" where "owner" = $1 and exists (select 1 from "notes" as _1 where "docs"."owner" = $1)`,
		`select "id", (select max("id") from "docs") from "docs" where "owner" = $1`,
		`select "id" from "docs" where "owner" = $1 order by (select max("id") from "docs")`,
		`select "id" from "docs" where "owner" = $1 limit (select max("id") from "docs")`,
		`with "docs" as (select 1) select "id" from "docs" where "owner" = $1`,
		`with d as (select "id", "owner" from "docs") select "id" from d where "owner" = $1`,
		`with recursive d as (select "id" from "docs" where "owner" = $1) select "id" from d`,
		`select "docs"."id" from "docs" as d, "notes" as "docs" where "docs"."owner" = $1`,
		`select d."id" from "docs" as d, "notes" as d where d."owner" = $1`,
		`select "id" from "docs", "notes" where "owner" = $1`,
		`select "secret" from "docs" where "owner" = $1`,
		`select max("secret") from "docs" where "owner" = $1`,
		`select s."secret" from (select "secret" from "docs" where "owner" = $1) as s`,
		`select * from "docs" where "owner" = $1`,
		`select "docs".* from "docs" where "owner" = $1`,
		`select "docs" from "docs" where "owner" = $1`,
		`select count("docs") from "docs" where "owner" = $1`,
		`select d from "docs" as d where d."owner" = $1`,
		`select count(*) from "docs"`,
		`select "id" from "elsewhere" where "owner" = $1`,
		`select "id" from "public"."docs" where "owner" = $1`,
		`table "docs"`,
		`table "docs" limit 1`,
		`select "id" from "docs" where "owner" = $1 union select "id" from "docs"`,
		`select "id" from "docs" where "owner" = $1 union all select "id" from "docs" where "owner" = $1`,
		`select "id" from "docs" where "owner" = $1 except select 0`,
		`select d."id" from "docs" as d, lateral (select 1 from "notes" as n where n."owner" = $1) as l where d."owner" = $1`,
		`select "id" from "docs" natural join "notes" where "docs"."owner" = $1`,
		`select "docs"."id" from "docs" join "notes" using ("owner") where "docs"."owner" = $1`,
		`select sum("id") over (partition by "owner") from "docs" where "owner" = $1`,
		`select count(*) filter (where "id" is null) from "docs" where "owner" = $1`,
		`select distinct on ("title") "id" from "docs" where "owner" = $1`,
		`select "id" from "docs" where "owner" = $1 offset 1`,
		`select "id" from "docs" where "owner" = $1 for no key update`,
		`select "id" into "copy" from "docs" where "owner" = $1`,
		`select pg_sleep(1) from "docs" where "owner" = $1`,
		`select pg_catalog.set_config('a', 'b', true) from "docs" where "owner" = $1`,
		`select current_user from "docs" where "owner" = $1`,
		`select "id" from "docs" where "owner" = $1 and "title" = 'x'`,
		`select "id" from "docs" where "owner" = $1 and "title" = e'!\041'`,
		`select "id" from "docs" where "owner" = $1 and "title" = E'\'' or true --'`,
		`select "id" from "docs" where "owner" = $1 and "title" = U&'\0021'`,
		`select "id" from U&"d\006fcs" where "owner" = $1`,
		`select "id" from u&"d\006fcs" where "owner" = $1`,
		`select "id" from "docs" where "owner" = $1 and "title" = $$!$$`,
		`select "id" from "docs" where "owner" = $1 and "title" = $a$!$a$`,
		`select "id" from "docs" where "owner" = $1 -- x`,
		`select "id" from "docs" where "owner" = $1 /* x */`,
		`select "id" from "docs" where "owner" = $1; select 1`,
		`select "id" from "docs" where "owner" = $1;`,
		`explain select "id" from "docs" where "owner" = $1`,
		`delete from "docs" where "owner" = $1`,
		`with _w as (delete from "docs" where "owner" = $1 returning "id") select 1 from _w`,
	}}, texts{read, 2, []string{
		`select "id" from "docs" where "owner" = $2 and "id" = $1`,
		`select "id" from "docs" where "owner" = $1`, // the second argument goes nowhere
		`select "id" from "docs" where "owner" = $1 and "id" = $3`,
	}}, texts{lines, 1, []string{
		`select "id" from "items"`,
		`select "id" from "items" where exists (select 1 from "docs" as _p where _p."owner" = $1)`,
		`select "id" from "items" where exists (select 1 from "docs" as _p where _p."id" = _p."id" and _p."owner" = $1)`,
		`select "id" from "items" where exists (select 1 from "docs" as _p where _p."id" = "items"."id" and _p."owner" = $1)`,
		`select "id" from "items" where exists (select count(*) from "docs" as _p where _p."id" = "items"."doc" and _p."owner" = $1)`,
		`select "id" from "items" where not exists (select 1 from "docs" as _p where _p."id" = "items"."doc" and _p."owner" = $1)`,
		`select "id" from "items" where exists (select 1 from "notes" as _p where _p."id" = "items"."doc" and _p."owner" = $1)`,
		`select i."id" from "items" as i left join "docs" as d on d."id" = i."doc" and d."owner" = $1`,
		`select i."id" from "items" as i join "docs" as d on d."owner" = $1`,
	}}, texts{both, 2, []string{
		`select "id" from "drafts" where "tenant" = $1 and "id" = $2`,
		`select "id" from "drafts" where "tenant" = $2 and "owner" = $1`,
		`select "id" from "drafts" where "tenant" = $1 and "owner" = $2 or "owner" = $2`,
	}}, texts{claimed(countries, Read), 0, []string{`select "id" from "docs"`}})
}

func TestGrantsOfRows(t *testing.T) {
	t.Parallel()
	granted := claimed(docs, Read)
	granted.Granted = &Grant{Table: grants, From: []string{"doc"}}
	reading := claimed(docs, Read)
	reading.Granted = &Grant{Table: grants, From: []string{"doc"}, Where: []Equal{{"role", int64(1)}}}
	exists := `exists (select 1 from "grants" as _1 where "docs"."id" = _1."doc" and _1."reader" = $1`
	proves(t, texts{granted, 1, []string{
		`select "id" from "docs" where "owner" = $1`,
		`select "id" from "docs" where ("owner" = $1 or ` + exists + `))`,
		`select exists (select 1 from "docs" where ("owner" = $1 or ` + exists + `)))`,
		`select count(*) from (select 1 from "docs" where ("owner" = $1 or ` + exists + `))) as _n`,
	}}, texts{reading, 2, []string{`select "id" from "docs" where ("owner" = $1 or ` + exists + ` and _1."role" = $2))`}})
	refuses(t, texts{granted, 1, []string{
		`select "id" from "docs" where ("owner" = $1 or ` + exists + ` or true))`,
		`select "id" from "docs" where ("owner" = $1 or not ` + exists + `))`,
		`select "id" from "docs" where ("owner" = $1 or "title" is null or ` + exists + `))`,
		`select "id" from "docs" where ("owner" = $1 or ` + exists + `)) or true`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where _1."reader" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where _1."doc" = _1."doc" and _1."reader" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where "docs"."id" = _1."doc"))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where "docs"."id" = _1."doc" and _1."doc" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where "docs"."id" = _1."reader" and _1."reader" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "grants" as _1 where "docs"."owner" = _1."doc" and _1."reader" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select count(*) from "grants" as _1 where "docs"."id" = _1."doc" and _1."reader" = $1))`,
		`select "id" from "docs" where ("owner" = $1 or exists (select 1 from "notes" as _1 where "docs"."id" = _1."doc" and _1."owner" = $1))`,
		// A row that the select itself does not read is not granted.
		`select d."id" from "docs" as d, "docs" where d."owner" = $1 and ("docs"."owner" = $1 or ` + exists + `))`,
		`select d."id" from "docs" as d left join "docs" on ("docs"."owner" = $1 or ` + exists + `)) where d."owner" = $1`,
		`select d."id" from "docs" as d where d."owner" = $1 and exists (select 1 from "docs" where ("docs"."owner" = $1 or ` + exists + `)))`,
	}}, texts{reading, 2, []string{
		`select "id" from "docs" where ("owner" = $1 or ` + exists + `)) and "id" = $2`,
		`select "id" from "docs" where ("owner" = $1 or ` + exists + ` and _1."doc" = $2))`,
		`select "id" from "docs" where ("owner" = $1 or ` + exists + ` and _1."role" <> $2))`,
	}}, texts{claimed(docs, Read), 1, []string{`select "id" from "docs" where ("owner" = $1 or ` + exists + `))`}})
	changing, removing := claimed(docs, Update), claimed(docs, Delete)
	changing.Granted, removing.Granted = granted.Granted, granted.Granted
	refuses(t, texts{changing, 1, []string{`update "docs" set "title" = null, "version" = "version" + 1 where ("owner" = $1 or ` + exists + `))`}},
		texts{removing, 1, []string{`delete from "docs" where ("owner" = $1 or ` + exists + `))`}})
}
