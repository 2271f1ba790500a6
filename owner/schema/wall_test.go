package schema_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

const (
	shopSetting = `(select nullif(current_setting('rowkeeper.schema_test_shopid', true), '')::bigint as owner)`
	partsDDL    = `;
create table logs (id int8, shop_id int8 not null, primary key (id, shop_id)) partition by range (id);
create table logs_1 partition of logs for values from (0) to (10);
create table logs_2 partition of logs for values from (10) to (20) partition by range (id);
create table logs_20 partition of logs_2 for values from (10) to (15);
create index on logs (shop_id);`
)

type entry struct {
	ID   int64  `db:"id" owner:"pk,default"`
	Shop shopID `db:"shop_id" owner:"owner,pk"`
}

var logs = owner.MustTable[entry, shopID]("logs")

// wallFlaws are made by the table's owner; APP is the role that verifies.
var wallFlaws = []flaw{{
	name: "off", change: `alter table items disable row level security`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "items", Problem: "row-level security is off"},
}, {
	name: "not forced", change: `alter table items no force row level security`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "items", Problem: "not forced"},
}, {
	name: "no policy", change: `drop policy rowkeeper_shop_id on receipts`,
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "there is no such policy"},
}, {
	name: "no policy for grants", change: `drop policy rowkeeper_granted_by_accesses on baskets`,
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "rowkeeper_granted_by_accesses", Problem: "there is no such policy"},
}, {
	name: "an escape with OR", change: `alter policy rowkeeper_shop_id on receipts using (shop_id = ` + shopSetting + ` or basket_id is null)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "no check", change: `alter policy rowkeeper_shop_id on receipts with check (true)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "another column", change: `alter policy rowkeeper_shop_id on receipts using (basket_id = ` + shopSetting + `)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "another comparison", change: `alter policy rowkeeper_shop_id on receipts using (shop_id >= ` + shopSetting + `)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "a default owner", change: `alter policy rowkeeper_shop_id on receipts using (shop_id = (select coalesce(nullif(current_setting('rowkeeper.schema_test_shopid', true), ''), '42')::bigint as owner))`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "another setting", change: `alter policy rowkeeper_shop_id on receipts using (shop_id = (select nullif(current_setting('application_name', true), '')::bigint as owner))`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "for some commands only", change: `drop policy rowkeeper_shop_id on receipts; create policy rowkeeper_shop_id on receipts for update using (shop_id = ` + shopSetting + `) with check (shop_id = ` + shopSetting + `)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "one that only narrows", change: `drop policy rowkeeper_shop_id on receipts; create policy rowkeeper_shop_id on receipts as restrictive using (shop_id = ` + shopSetting + `) with check (shop_id = ` + shopSetting + `)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "for some roles only", change: `alter policy rowkeeper_shop_id on receipts to APP`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "rowkeeper_shop_id", Problem: "another than the declaration"},
}, {
	name: "access that can be written", change: `drop policy rowkeeper_granted_by_accesses on baskets; create policy rowkeeper_granted_by_accesses on baskets using
		(exists (select 1 from accesses _g where _g.basket_id = baskets.id and _g.shop_id = ` + shopSetting + `))`,
	want: schema.Finding{Severity: schema.Exposed, Table: "baskets", Name: "rowkeeper_granted_by_accesses", Problem: "another than the declaration"},
}, {
	name: "one more policy", change: `create policy support on items for select to APP using (n > 100)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "support", Problem: "lets rows through"},
}, {
	name: "BYPASSRLS", change: `alter role APP bypassrls`,
	want: schema.Finding{Severity: schema.Exposed, Name: "APP", Problem: "BYPASSRLS"},
}, {
	name: "a superuser", change: `alter role APP superuser`,
	want: schema.Finding{Severity: schema.Exposed, Name: "APP", Problem: "superuser"},
}, {
	name: "TRUNCATE", change: `grant truncate on receipts to public; grant truncate on receipts to APP`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "APP", Problem: "TRUNCATE"},
}, {
	name: "the table's owner", change: `alter table receipts owner to APP`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Name: "APP", Problem: "the role owns the table"}, unmended: true,
}, {
	name: "a view", change: `create view all_receipts as select * from receipts; grant select on all_receipts to APP`,
	want: schema.Finding{Severity: schema.Exposed, Table: "all_receipts", Name: "all_receipts", Problem: "the view reads receipts"},
}, {
	name: "a materialized view", change: `create materialized view all_receipts as select * from receipts; grant select on all_receipts to APP`,
	want: schema.Finding{Severity: schema.Exposed, Table: "all_receipts", Name: "all_receipts", Problem: "the view reads receipts"},
}, {
	name: "a partition", change: `alter table logs_20 disable row level security`,
	want: schema.Finding{Severity: schema.Exposed, Table: "logs_20", Name: "logs_20", Problem: "it is a part of logs"},
}, {
	name: "a partition, not forced", change: `alter table logs_1 no force row level security`,
	want: schema.Finding{Severity: schema.Exposed, Table: "logs_1", Name: "logs_1", Problem: "by the table's owner"},
}, {
	name: "a partition with a policy", change: `create policy p on logs_1 using (true)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "logs_1", Name: "p", Problem: "lets rows through"},
}, {
	name: "a restrictive policy and a view that asks", change: `create policy narrow on items as restrictive using (n < 100);
		create view all_receipts with (security_invoker = true) as select * from receipts; grant select on all_receipts to APP`,
}, {
	name: "no rights on a view", change: `create view all_receipts as select * from receipts`,
}}

func TestVerifyWall(t *testing.T) {
	tables := append([]owner.AnyTable{logs}, shop...)
	tables = schema.WithRLS(tables...)
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			ownerkit.MustExec(t, db, shopDDL)
			_, err := schema.Verify(t.Context(), db, schema.WithRLS(shop...)...)
			require.ErrorIs(t, err, schema.ErrNoRLS)
			return
		}
		for _, f := range wallFlaws {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				if serverVersion(t, db) < 15 && strings.Contains(f.change, "security_invoker") {
					t.Skip("it has no such views")
				}
				db := freshSchema(t, db)
				ownerkit.MustExec(t, db, shopDDL+partsDDL)
				sql, err := schema.RLS(t.Context(), db, tables...)
				require.NoError(t, err)
				ownerkit.MustExec(t, db, sql)
				app := appOf(t, db)
				require.Empty(t, verified(t, app, tables...))

				role := app.Config().ConnConfig.User
				ownerkit.MustExec(t, db, strings.ReplaceAll(f.change, "APP", role))
				found := verified(t, app, tables...)
				if f.want.Severity == 0 {
					require.Empty(t, found)
					return
				}
				require.Len(t, found, 1)
				require.Contains(t, found[0].Problem, f.want.Problem)
				f.want.Problem, f.want.SQL = found[0].Problem, found[0].SQL
				f.want.Name = strings.ReplaceAll(f.want.Name, "APP", role)
				require.Equal(t, f.want, found[0])
				if f.unmended {
					require.Empty(t, found[0].SQL)
					return
				}
				mend(t, db, found[0])
				require.Empty(t, verified(t, app, tables...))
			})
		}
	})
}

// SET ROLE does not hide the session's own role.
func TestVerifyWallBehindSetRole(t *testing.T) {
	eachWall(t, shopDDL, shop, func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool) {
		conn, err := admin.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		_, err = conn.Exec(t.Context(), "set role "+app.Config().ConnConfig.User)
		require.NoError(t, err)
		found := verified(t, conn, schema.WithRLS(shop...)...)
		_, err = conn.Exec(t.Context(), "reset role")
		require.NoError(t, err)
		require.NotEmpty(t, found)
		for _, f := range found {
			require.Contains(t, f.Problem, "RESET ROLE leads back to it")
		}
	})
}

// Without WithRLS, Verify reports row-level security that makes no sense.
var halfWalls = []flaw{{
	name: "policies that do nothing", change: `create policy p on items using (n > 1)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "p", Problem: "they do nothing"},
}, {
	name: "no policy", change: `alter table receipts enable row level security; alter table receipts force row level security`,
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "receipts", Problem: "nobody sees any"},
}, {
	name: "not forced", change: `alter table items enable row level security; create policy p on items using (n > 1)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "items", Problem: "not forced"},
}, {
	name: "always true", change: `alter table items enable row level security; alter table items force row level security; create policy p on items using (n > 1); create policy t on items using (true)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "t", Problem: "always true"},
}}

func TestVerifyHalfWall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		for _, f := range halfWalls {
			if db.Cockroach() {
				continue // which has none
			}
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				db := freshSchema(t, db)
				ownerkit.MustExec(t, db, shopDDL+f.change)
				found := verified(t, db, shop...)
				require.Len(t, found, 1)
				require.Contains(t, found[0].Problem, f.want.Problem)
				f.want.Problem, f.want.SQL = found[0].Problem, found[0].SQL
				require.Equal(t, f.want, found[0])
				mend(t, db, found[0])
				for _, f := range verified(t, db, shop...) {
					require.NotEqual(t, found[0], f)
				}
			})
		}
	})
}
