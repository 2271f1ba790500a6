package schema_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// A shop whose schema fits its declarations. The tests change one thing at a time.
type (
	shopID   int64
	customer struct {
		ID    shopID `db:"id" owner:"owner,pk"`
		Email string `db:"email"`
	}
	basket struct {
		ID      int64   `db:"id" owner:"pk"`
		Shop    shopID  `db:"shop_id" owner:"owner"`
		Name    string  `db:"name"`
		Note    *string `db:"note"`
		Amount  int32   `db:"amount"`
		Country string  `db:"country"`
		Version int64   `db:"version" owner:"version"`
	}
	item struct {
		Basket int64  `db:"basket_id" owner:"pk,parent"`
		N      int32  `db:"n" owner:"pk"`
		Text   string `db:"text"`
	}
	receipt struct {
		ID     [16]byte `db:"id" owner:"pk"`
		Shop   shopID   `db:"shop_id" owner:"owner"`
		Basket *int64   `db:"basket_id"`
	}
	nation struct {
		Code string `db:"code" owner:"pk"`
	}
	access struct {
		ID     int64  `db:"id" owner:"pk"`
		Shop   shopID `db:"shop_id" owner:"owner"`
		Basket int64  `db:"basket_id"`
	}
)

var (
	nations   = owner.MustShared[nation]("nations")
	customers = owner.MustTable[customer, shopID]("customers")
	baskets   = owner.MustTable[basket, shopID]("baskets",
		owner.Unique(func(b *basket) any { return &b.Name }), owner.References(nations, func(b *basket) any { return &b.Country }))
	basketName  = owner.Column(baskets, func(b *basket) *string { return &b.Name })
	items       = owner.MustThrough[item]("items", baskets)
	receipts    = owner.MustTable[receipt, shopID]("receipts", owner.References(baskets, func(r *receipt) any { return &r.Basket }))
	accesses    = owner.MustTable[access, shopID]("accesses")
	basketGrant = owner.GrantedBy(baskets, accesses, owner.Column(accesses, func(a *access) *int64 { return &a.Basket }))
	shop        = []owner.AnyTable{nations, customers, baskets, items, receipts, basketGrant, accesses}
)

const shopDDL = `create sequence shop_ids start 5000;
create table nations (code text primary key);
create table customers (id int8 primary key default nextval('shop_ids'), email text not null);
create table baskets (id int8 primary key default nextval('shop_ids'), shop_id int8 not null, name text not null, note text,
	amount int4 not null, country text not null references nations, version int8 not null,
	constraint baskets_own unique (shop_id, id), constraint baskets_name unique (shop_id, name));
create table items (basket_id int8 not null, n int4 not null, text text not null,
	constraint items_key primary key (basket_id, n), constraint items_basket foreign key (basket_id) references baskets (id));
create table receipts (id uuid primary key default gen_random_uuid(), shop_id int8 not null, basket_id int8,
	constraint receipts_basket foreign key (shop_id, basket_id) references baskets (shop_id, id));
create index receipts_shop on receipts (shop_id);
create table accesses (id int8 primary key default nextval('shop_ids'), shop_id int8 not null, basket_id int8 not null,
	constraint accesses_basket foreign key (basket_id) references baskets (id), constraint accesses_once unique (shop_id, basket_id));`

func verified(t *testing.T, db owner.DB, tables ...owner.AnyTable) []schema.Finding {
	t.Helper()
	found, err := schema.Verify(t.Context(), db, tables...)
	require.NoError(t, err)
	return found
}

// mend runs the SQL of a finding, each statement alone and all in one session.
func mend(t *testing.T, db *dbtest.DB, f schema.Finding) {
	t.Helper()
	conn, err := db.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for sql := range strings.SplitSeq(f.SQL, "\n") {
		require.True(t, strings.HasSuffix(sql, ";"), sql)
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
}

// serverVersion returns the major version of PostgreSQL, and 0 for CockroachDB.
func serverVersion(t *testing.T, db *dbtest.DB) int {
	t.Helper()
	var s string
	require.NoError(t, db.QueryRow(t.Context(), "show server_version").Scan(&s))
	major, _, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err)
	if db.Cockroach() {
		return 0
	}
	return n
}

type flaw struct {
	name   string
	change string // what is done to the schema
	crdb   string // instead of change, on CockroachDB; "-" where that cannot be, or is no different
	want   schema.Finding
	unmended,
	others bool // there is no SQL that mends it; other findings follow from the change
}

var flaws = []flaw{{
	name: "no table", change: `drop table customers`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "customers", Name: "customers", Problem: "there is no such table"}, others: true,
}, {
	name: "no column", change: `alter table receipts drop column basket_id`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "basket_id", Problem: "no such column"}, others: true,
}, {
	name: "a column more that an insert needs", change: `alter table receipts add column paid bool not null`,
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "paid", Problem: "every insert fails"},
}, {
	name: "another type", change: `alter table baskets alter column note type bytea using note::bytea`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "note", Problem: "does not go together with a *string"},
}, {
	name: "text for a number", change: `alter table baskets drop column amount; alter table baskets add column amount text not null`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "amount", Problem: "it is of type text, which does not go together with a int32"},
}, {
	name: "a number for text", change: `alter table items drop column text; alter table items add column text int8 not null`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "items", Name: "text", Problem: "does not go together with a string"},
}, {
	name: "a wider integer", change: `alter table items drop column n cascade; alter table items add column n int8 not null; alter table items add primary key (basket_id, n)`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "items", Name: "n", Problem: "numbers that the int32 of the struct cannot"},
}, {
	name: "a narrower integer", change: `alter table baskets drop column amount; alter table baskets add column amount int2 not null`,
	want: schema.Finding{Severity: schema.Advice, Table: "baskets", Name: "amount", Problem: "does not take all numbers"},
}, {
	name: "a version that cannot count", change: `alter table baskets drop column version; alter table baskets add column version numeric not null`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "version", Problem: "a version is an integer"},
}, {
	name: "NULL where the struct has none", change: `alter table baskets alter column amount drop not null`,
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "amount", Problem: "it can be NULL"},
}, {
	name: "no NULL where the struct has one", change: `alter table baskets alter column note set not null`,
	want: schema.Finding{Severity: schema.Advice, Table: "baskets", Name: "note", Problem: "it is NOT NULL"},
}, {
	name: "a generated column", change: `alter table items drop column text; alter table items add column text text not null generated always as ('x') stored`,
	crdb: `alter table items drop column text; alter table items add column text text not null as ('x') stored`,
	want: schema.Finding{Severity: schema.Broken, Table: "items", Name: "text", Problem: "it is generated"},
}, {
	name: "rows of nobody", change: `alter table receipts alter column shop_id drop not null`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "shop_id", Problem: "can be NULL"},
}, {
	name: "no index for the owner", change: `drop index receipts_shop`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Name: "shop_id", Problem: "no index begins with it"},
}, {
	name: "only a partial index for the owner", change: `drop index receipts_shop; create index on receipts (shop_id) where basket_id is null`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Name: "shop_id", Problem: "no index begins with it"},
}, {
	name: "an index that does not begin with the owner", change: `drop index receipts_shop; create index on receipts (basket_id, shop_id)`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Name: "shop_id", Problem: "no index begins with it"},
}, {
	name: "no primary key", change: `alter table receipts drop constraint receipts_pkey`, crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "id", Problem: "not unique"},
}, {
	name: "a primary key for some rows", change: `alter table receipts drop constraint receipts_pkey; create unique index on receipts (id) where basket_id is null`, crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "id", Problem: "not unique"},
}, {
	name: "another primary key", change: `alter table receipts drop constraint receipts_pkey; alter table receipts add primary key (id, shop_id, basket_id)`,
	crdb: "-",
	want: schema.Finding{Severity: schema.Broken, Table: "receipts", Name: "id", Problem: "not unique"}, others: true,
}, {
	name: "no unique constraint for an upsert", change: `alter table baskets drop constraint baskets_name`, crdb: `drop index baskets@baskets_name cascade`,
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "shop_id, name", Problem: "an upsert by them fails"},
}, {
	name: "a partial unique index for an upsert", change: `alter table baskets drop constraint baskets_name; create unique index on baskets (shop_id, name) where amount > 0`,
	crdb: `drop index baskets@baskets_name cascade; create unique index on baskets (shop_id, name) where amount > 0`,
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "shop_id, name", Problem: "an upsert by them fails"},
}, {
	name: "a unique constraint without the owner", change: `alter table customers add constraint emails unique (email)`,
	want: schema.Finding{Severity: schema.Advice, Table: "customers", Name: "emails", Problem: "it makes email unique among the rows of all owners"},
}, {
	name: "a unique index without the owner", change: `create unique index receipts_once on receipts (basket_id)`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Name: "receipts_once", Problem: "tells that a stranger has the value"},
}, {
	name: "a unique index of children without the parent", change: `create unique index items_text on items (text)`,
	want: schema.Finding{Severity: schema.Advice, Table: "items", Name: "items_text", Problem: "it makes text unique"},
}, {
	name: "a unique index of an expression", change: `create unique index items_lower on items (lower(text))`, crdb: "-",
	want: schema.Finding{Severity: schema.Advice, Table: "items", Name: "items_lower", Problem: "an expression"}, unmended: true,
}, {
	name: "keys that clients choose", change: `alter table receipts alter column id drop default`,
	want: schema.Finding{Severity: schema.Advice, Table: "receipts", Problem: "it makes id unique"},
}, {
	name: "numbers that clients choose", change: `alter table accesses alter column id drop default`,
	want: schema.Finding{Severity: schema.Advice, Table: "accesses", Problem: "it makes id unique"},
}, {
	name: "no foreign key", change: `alter table receipts drop constraint receipts_basket`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "no foreign key takes the owner along to baskets"},
}, {
	name: "a foreign key without the owner", change: `alter table receipts drop constraint receipts_basket; alter table receipts add foreign key (basket_id) references baskets (id)`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "no foreign key takes the owner along to baskets"},
}, {
	name: "a foreign key that nothing could lead to", change: `alter table receipts drop constraint receipts_basket; alter table baskets drop constraint baskets_own`,
	crdb: `alter table receipts drop constraint receipts_basket; drop index baskets@baskets_own cascade`,
	want: schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "no foreign key takes the owner along to baskets"},
}, {
	name:   "a foreign key to another table",
	change: `create table old_baskets (id int8, shop_id int8, primary key (shop_id, id)); comment on table old_baskets is 'rowkeeper: undeclared'; alter table receipts drop constraint receipts_basket; alter table receipts add foreign key (shop_id, basket_id) references old_baskets (shop_id, id)`,
	crdb:   "-",
	want:   schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "no foreign key takes the owner along to baskets"},
}, {
	name:   "a foreign key that crosses its columns",
	change: `alter table receipts drop constraint receipts_basket; alter table receipts add foreign key (basket_id, shop_id) references baskets (shop_id, id)`,
	want:   schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "no foreign key takes the owner along to baskets"},
}, {
	name:   "a foreign key not validated",
	change: `alter table receipts drop constraint receipts_basket; alter table receipts add constraint basket_id foreign key (shop_id, basket_id) references baskets (shop_id, id) not valid`,
	want:   schema.Finding{Severity: schema.Exposed, Table: "receipts", Name: "basket_id", Problem: "NOT VALID"},
}, {
	name: "no parent", change: `alter table items drop constraint items_basket`,
	want: schema.Finding{Severity: schema.Exposed, Table: "items", Name: "basket_id", Problem: "whatever gets that key"},
}, {
	name: "no shared parent", change: `alter table baskets drop constraint baskets_country_fkey`, crdb: `alter table baskets drop constraint fk_country_ref_nations`,
	want: schema.Finding{Severity: schema.Broken, Table: "baskets", Name: "country", Problem: "no foreign key leads to nations"},
}, {
	name: "grants that outlive", change: `alter table accesses drop constraint accesses_basket`,
	want: schema.Finding{Severity: schema.Exposed, Table: "accesses", Name: "basket_id", Problem: "a grant outlives"},
}, {
	name: "a table that nobody declared", change: `create table "Logs" (id int8 primary key, shop_id int8, note text); comment on table "Logs" is 'it''s \ old'`,
	want: schema.Finding{Severity: schema.Exposed, Table: "Logs", Name: "shop_id", Problem: "is not declared"},
}}

func TestVerify(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, shopDDL)
		require.Empty(t, verified(t, db, shop...))
		for name, round := range rounds(db.Cockroach()) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				db := freshSchema(t, db)
				sql, others := shopDDL, false
				for _, f := range round {
					sql, others = sql+f.change+";\n", others || f.others
				}
				ownerkit.MustExec(t, db, sql)
				found := verified(t, db, shop...)
				require.True(t, others || len(found) == len(round), "found: %v", found)
				var mended []schema.Finding
				for _, f := range round {
					g := matching(t, found, f.want)
					if f.unmended {
						require.Empty(t, g.SQL)
						return
					}
					mend(t, db, g)
					mended = append(mended, g)
				}
				// CockroachDB continues to change a type after it has answered.
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					after, err := schema.Verify(t.Context(), db, shop...)
					require.NoError(c, err)
					for _, g := range mended {
						require.NotContains(c, after, g)
					}
					require.True(c, others || len(after) == 0, "%v", after)
				}, 5*time.Minute, 20*time.Millisecond)
			})
		}
	})
}

// rounds returns the flaws one by one. For CockroachDB, where creating a schema is
// slow, it groups as many flaws as concern different things.
func rounds(cockroach bool) map[string][]flaw {
	out := map[string][]flaw{}
	times := map[string]int{}
	for _, f := range flaws {
		if !cockroach {
			out[f.name] = []flaw{f}
			continue
		}
		if f.crdb == "-" {
			continue
		}
		if f.crdb != "" {
			f.change = f.crdb
		}
		thing := f.want.Table + "." + f.want.Name
		times[thing]++
		round := fmt.Sprint(times[thing])
		out[round] = append(out[round], f)
	}
	return out
}

func matching(t *testing.T, found []schema.Finding, want schema.Finding) schema.Finding {
	t.Helper()
	for _, g := range found {
		if g.Severity == want.Severity && g.Table == want.Table && (want.Name == "" || g.Name == want.Name) && strings.Contains(g.Problem, want.Problem) {
			return g
		}
	}
	require.Fail(t, "not found", "%v\namong %v", want, found)
	return schema.Finding{}
}

// freshSchema returns another schema on the same server.
func freshSchema(t *testing.T, of *dbtest.DB) *dbtest.DB {
	t.Helper()
	name := "v_" + strings.ToLower(rand.Text()[:12])
	ownerkit.MustExec(t, of, "create schema "+name)
	config := of.Config()
	config.ConnConfig.RuntimeParams["search_path"] = name
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		pool.Close()
		if os.Getenv(devdb.EnvURL) == "" {
			return // the server goes, too
		}
		_, err := of.Exec(context.WithoutCancel(t.Context()), "drop schema "+name+" cascade")
		require.NoError(t, err)
	})
	return &dbtest.DB{Pool: pool, Engine: of.Engine, URL: of.URL, Schema: name}
}
