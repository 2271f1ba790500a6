package prove

import "testing"

func TestWrites(t *testing.T) {
	t.Parallel()
	points := `exists (select 1 from "docs" as _1 where _1."id" = $2 and _1."owner" = $1)`
	proves(t, texts{claimed(docs, Update), 2, []string{
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1`,
		`with _w as (update "docs" set "title" = $2, "version" = "docs"."version" + 1 where "owner" = $1 returning "id") select count(*) from _w`,
	}}, texts{claimed(notes, Update), 2, []string{
		`update "notes" set "doc" = $2 where "owner" = $1 and ` + points,
		`update "notes" set "text" = $2 where "owner" = $1`,
		`update "notes" set "doc" = null where "owner" = $1 and "id" = $2`,
	}}, texts{claimed(docs, Delete), 2, []string{`delete from "docs" where "owner" = $1 and "id" = $2`}},
		texts{claimed(docs, Insert), 2, []string{`insert into "docs" ("owner", "title", "version") values ($1, $2, 1) returning "id"`}},
		texts{claimed(notes, Insert), 2, []string{`insert into "notes" ("owner", "doc") select $1, $2 where ` + points}},
		texts{claimed(items, Insert), 2, []string{`insert into "items" ("doc") select $2 where ` + points}},
		texts{claimed(docs, Upsert), 2, []string{
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title", "version" = "docs"."version" + 1 where "docs"."owner" = $1`,
		}})

	refuses(t, texts{claimed(docs, Update), 2, []string{
		`update "docs" set "title" = $2, "version" = "version" + 1`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where $1 = $1`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 or "id" is null`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $2 and "id" = $1`,
		`update "docs" set "title" = $2 where "owner" = $1`,
		`update "docs" set "title" = $2, "version" = 1 where "owner" = $1`,
		`update "docs" set "title" = $2, "version" = "version" + 2 where "owner" = $1`,
		`update "docs" set "title" = $2, "version" = "id" + 1 where "owner" = $1`,
		`update "docs" set "title" = $2, "version" = $2 where "owner" = $1`,
		`update "docs" set "owner" = $2, "version" = "version" + 1 where "owner" = $1`,
		`update "docs" set "id" = $2, "version" = "version" + 1 where "owner" = $1`,
		`update "docs" set ("owner", "version") = ($2, "version" + 1) where "owner" = $1`,
		`update "docs" set "other" = $2, "version" = "version" + 1 where "owner" = $1`,
		`update "docs" set "title" = $2, "title" = $2, "version" = "version" + 1 where "owner" = $1`,
		`update "docs" set "title" = (select max("title") from "docs"), "version" = "version" + 1 where "owner" = $1 and "id" = $2`,
		`update "docs" set "title" = $2, "version" = "version" + 1 from "docs" as d where d."owner" = $1`,
		`update "docs" set "title" = $2, "version" = "version" + 1 from "notes" as n where "docs"."owner" = $1`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 returning "secret"`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 returning *`,
		`update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 returning "docs"`,
		`update "notes" set "text" = $2 where "owner" = $1`,
		`delete from "docs" where "owner" = $1 and "id" = $2`,
		`with a as (update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 returning "id"), b as (update "docs" set "title" = $2, "version" = "version" + 1 where "owner" = $1 returning "id") select 1`,
		`update "docs" as "notes" set "title" = $2, "version" = "version" + 1 where "docs"."owner" = $1`,
	}}, texts{claimed(notes, Update), 2, []string{
		`update "notes" set "doc" = $2 where "owner" = $1`,
		`update "notes" set "doc" = "id" where "owner" = $1 and "id" = $2`,
		`update "notes" set "doc" = $2 where "owner" = $1 or ` + points,
		`update "notes" set "doc" = $2 where "owner" = $1 and not ` + points,
		`update "notes" set "doc" = $2 where "owner" = $1 and exists (select 1 from "docs" as _1 where _1."id" = $2)`,
		`update "notes" set "doc" = $2 where "owner" = $1 and exists (select 1 from "docs" as _1 where _1."owner" = $1)`,
		`update "notes" set "doc" = $2 where "owner" = $1 and exists (select 1 from "docs" as _1 where _1."id" = "notes"."id" and _1."owner" = $1)`,
	}}, texts{claimed(items, Update), 2, []string{
		`update "items" set "doc" = $2 where exists (select 1 from "docs" as _p where _p."id" = "items"."doc" and _p."owner" = $1)`,
	}}, texts{claimed(countries, Update), 1, []string{`update "countries" set "name" = $1`}},
		texts{claimed(docs, Delete), 2, []string{
			`delete from "docs"`,
			`delete from "docs" where "id" = $2 and $1 = $1`,
			`delete from "docs" where "owner" = $1 or "id" = $2`,
			`delete from "docs" using "notes" where "notes"."owner" = $1 and "notes"."id" = $2`,
			`delete from "docs" using "notes" where "docs"."owner" = $1 and "notes"."id" = $2`,
			`delete from "docs" where "owner" = $1 and "id" = $2 returning "secret"`,
			`delete from "docs" where "owner" = $1 and "id" = $2 returning *`,
			`truncate "docs"`,
			`drop table "docs"`,
		}}, texts{claimed(docs, Insert), 2, []string{
			`insert into "docs" ("title", "version") values ($2, 1)`,
			`insert into "docs" ("owner", "title", "version") values ($2, $1, 1)`,
			`insert into "docs" ("owner", "title", "version") values ($1, $2, 2)`,
			`insert into "docs" ("owner", "title") values ($1, $2)`,
			`insert into "docs" ("owner", "title", "version") values ($1, $2, 1), ($2, $2, 1)`,
			`insert into "docs" ("owner", "title", "version") values ($1, $2, 1), (default, $2, 1)`,
			`insert into "docs" ("owner", "owner", "version") values ($1, $2, 1)`,
			`insert into "docs" values ($1, $2, 1)`,
			`insert into "docs" default values`,
			`insert into "docs" ("owner", "title", "version") select $1, "title", 1 from "docs" where "id" = $2`,
			`insert into "docs" ("owner", "title", "version") select $1, "title", 1 from "docs" where "owner" = $1 and "id" = $2`,
			`insert into "docs" ("owner", "title", "version") values ($1, $2, 1) on conflict do nothing`,
			`insert into "docs" ("owner", "title", "version") values ($1, $2, 1) returning "secret"`,
			`upsert into "docs" ("owner", "title", "version") values ($1, $2, 1)`,
		}}, texts{claimed(notes, Insert), 2, []string{
			`insert into "notes" ("owner", "doc") values ($1, $2)`,
			`insert into "notes" ("owner", "doc") select $1, $2 where true`,
			`insert into "notes" ("owner", "doc") select $1, $2 where ` + points + ` or true`,
		}}, texts{claimed(items, Insert), 2, []string{
			`insert into "items" ("text") select $2 where ` + points,
			`insert into "items" ("doc") values ($2)`,
		}}, texts{claimed(docs, Upsert), 2, []string{
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title", "version" = "docs"."version" + 1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title", "version" = "docs"."version" + 1 where "excluded"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title", "version" = "docs"."version" + 1 where "docs"."owner" = "excluded"."owner" or true`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "owner" = "excluded"."owner", "version" = "docs"."version" + 1 where "docs"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."secret", "version" = "docs"."version" + 1 where "docs"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title", "version" = "excluded"."version" + 1 where "docs"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict ("id") do update set "title" = "excluded"."title" where "docs"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict do update set "title" = "excluded"."title", "version" = "docs"."version" + 1 where "docs"."owner" = $1`,
			`insert into "docs" ("owner", "id", "version") values ($1, $2, 1) on conflict on constraint "k" do update set "title" = "excluded"."title", "version" = "docs"."version" + 1 where "docs"."owner" = $1`,
		}})
}

func TestVersions(t *testing.T) {
	t.Parallel()
	changing, removing := claimed(docs, Update), claimed(docs, Delete)
	changing.At, removing.At = int64(1), int64(1)
	change, remove := `update "docs" set "title" = null, "version" = "version" + 1 where "owner" = $1`, `delete from "docs" where "owner" = $1`
	proves(t, texts{changing, 2, []string{change + ` and "version" = $2`}}, texts{removing, 2, []string{remove + ` and "version" = $2`}})
	for _, term := range []string{` and $2 = $2`, ` and "version" <> $2`, ` and "version" >= $2`, ` and "id" = $2`, ` and ("version" = $2 or "id" is null)`, ` and $2 is not null and "version" = $1`} {
		refuses(t, texts{changing, 2, []string{change + term}}, texts{removing, 2, []string{remove + term}})
	}
}
