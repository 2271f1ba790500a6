package schema_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/errs/schema"
)

func TestVerifyOnPostgreSQL(t *testing.T) {
	runVerify(t, "postgres", []verifyCase{{
		name: "a name that several tables share",
		schema: `
			create table a (n bigint, constraint positive check (n > 0));
			create table b (n bigint, constraint positive check (n > 0));
			create table c (n bigint, constraint positive check (n > 0))`,
		rules: []string{
			`errs.Constraint("positive").Code("not_positive").Field("/n"),`,
			`errs.Constraint("positive").On("c").Code("c_not_positive"),`,
		},
		want: []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "positive", Problem: "no On(table)",
			Add: `errs.Constraint("positive").On("a").Code("not_positive").Field("/n"),` + "\n" +
				`errs.Constraint("positive").On("b").Code("not_positive").Field("/n"),`}},
		after: []violation{{`insert into c values (0)`, "c_not_positive"}, {`insert into a values (0)`, "not_positive"}},
	}, {
		name: "a name that two tables share, one with a rule",
		schema: `
			create table a (n bigint, constraint positive check (n > 0));
			create table b (n bigint, constraint positive check (n > 0))`,
		rules: []string{`errs.Constraint("positive").On("b").Code("x"),`},
		want: []schema.Finding{{Kind: schema.MissingRule, Table: "a", Name: "positive", Problem: "has no rule",
			Add: `errs.Constraint("positive").On("a").Code("n_invalid").Field("/n"),`}},
	}, {
		name: "exclusion, expressions, deferred",
		schema: `
			create table bookings (
				room int4range, during tsrange, email text,
				constraint bookings_during_excl exclude using gist (room with &&, during with &&),
				constraint bookings_email_key unique (email) deferrable initially deferred);
			create unique index bookings_lower on bookings (lower(email))`,
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "bookings", Name: "bookings_during_excl", Problem: "an exclusion constraint of room, during",
				Add: `errs.Constraint("bookings_during_excl").Code("room_during_overlap"),`},
			{Kind: schema.MissingRule, Table: "bookings", Name: "bookings_email_key", Problem: "a unique constraint of email",
				Add: `errs.Constraint("bookings_email_key").Code("email_taken").Field("/email"),`},
			{Kind: schema.MissingRule, Table: "bookings", Name: "bookings_lower", Problem: "a unique index has no rule",
				Add: `errs.Constraint("bookings_lower").Code("bookings_lower"),`},
		},
		after: []violation{
			{`insert into bookings select '[1,2]', '[2020-01-01,2020-01-02]' from generate_series(1, 2)`, "room_during_overlap"},
			{`insert into bookings (email) values ('a'), ('A')`, "bookings_lower"},
		},
	}, {
		name: "partitions, with no rule",
		schema: `
			create table p (id bigint constraint p_pk primary key);
			create table m (
				id bigint, email text not null, age int, pid bigint,
				constraint m_age_check check (age > 0), constraint m_key unique (id, email),
				constraint m_pid_fkey foreign key (pid) references p (id)) partition by range (id);
			create table m_1 partition of m for values from (0) to (10);
			create table m_2 partition of m for values from (10) to (20);
			create table r (id bigint, email text, constraint r_fkey foreign key (id, email) references m (id, email));
			insert into p values (1);
			insert into m values (1, 'a', 1, 1);
			insert into r values (1, 'a')`,
		rules: []string{`errs.Constraint("p_pk").Code("id_taken"),`},
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "m", Name: "m_age_check", Problem: "a check constraint of age has no rule",
				Add: `errs.Constraint("m_age_check").Code("age_invalid").Field("/age"),`},
			{Kind: schema.MissingRule, Table: "m", Name: "m_key", Problem: "has no rule",
				Add: `errs.Constraint("m_1_id_email_key").Code("id_email_taken"),` + "\n" +
					`errs.Constraint("m_2_id_email_key").Code("id_email_taken"),`},
			{Kind: schema.MissingRule, Table: "m", Name: "m_pid_fkey", Problem: "a foreign key of pid has no rule",
				Add: `errs.Constraint("m_pid_fkey").Missing("unknown_pid", "/pid", "").InUse("p_in_use", ""),`},
			{Kind: schema.MissingRule, Table: "r", Name: "r_fkey", Problem: "a foreign key of id, email has no rule",
				Add: `errs.Constraint("r_fkey").On("r").Missing("unknown_m", "", ""),` + "\n" +
					`errs.Constraint("r_id_email_fkey").On("r").InUse("m_in_use", ""),` + "\n" +
					`errs.Constraint("r_id_email_fkey1").On("r").InUse("m_in_use", ""),`},
		},
		later: []string{"r_id_email_fkey", "r_fkey_1", "r_id_email_fkey1", "r_fkey_2"}, // 18
		after: []violation{
			{`insert into m values (1, 'a', 1, 1)`, "id_email_taken"},
			{`insert into m values (11, 'a', -1, 1)`, "age_invalid"},
			{`insert into m values (11, 'a', 1, 99)`, "unknown_pid"},
			{`delete from p`, "p_in_use"},
			{`insert into r values (2, 'a')`, "unknown_m"},
			{`delete from m`, "m_in_use"},
		},
	}, {
		name: "partitions, with rules for their parent",
		schema: `
			create table m (
				id bigint, email text not null,
				constraint m_check check (id > 0), constraint m_key unique (id, email)) partition by range (id);
			create table m_1 partition of m for values from (0) to (10);
			create table m_2 partition of m for values from (10) to (20)`,
		rules: []string{
			`errs.Constraint("m_check").On("m").Code("x"),`,
			`errs.Constraint("m_key").Code("x"),`,
			`errs.NotNull("m", "email").Code("no_email"),`,
		},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Table: "m", Name: "email", Problem: "m has partitions", Drop: `errs.NotNull("m", "email")`,
				Add: `errs.NotNull("m_1", "email").Code("no_email"),` + "\n" + `errs.NotNull("m_2", "email").Code("no_email"),`},
			{Kind: schema.WrongRule, Table: "m", Name: "m_check", Problem: "m has partitions", Drop: `errs.Constraint("m_check").On("m")`,
				Add: `errs.Constraint("m_check").Code("id_invalid").Field("/id"),`},
			{Kind: schema.WrongRule, Table: "m", Name: "m_key", Problem: "has the name of the partition's own", Drop: `errs.Constraint("m_key")`,
				Add: `errs.Constraint("m_1_id_email_key").Code("id_email_taken"),` + "\n" +
					`errs.Constraint("m_2_id_email_key").Code("id_email_taken"),`},
		},
		after: []violation{{`insert into m values (1, null)`, "no_email"}, {`insert into m values (0, 'a')`, "id_invalid"}},
	}, {
		name: "partitions, with a rule for each side of a foreign key",
		schema: `
			create table p (id uuid primary key default gen_random_uuid());
			create table m (id bigint, pid uuid, constraint m_pid_fkey foreign key (pid) references p (id)) partition by range (id);
			create table m_1 partition of m for values from (0) to (10)`,
		rules: []string{
			`errs.Constraint("m_pid_fkey").On("m").InUse("p_used", ""),`,
			`errs.Constraint("m_pid_fkey").On("m_1").Missing("no_p", "/pid", ""),`,
		},
		after: []violation{{`insert into m values (1, gen_random_uuid())`, "no_p"}},
	}, {
		name: "a new partition",
		schema: `
			create table m (id bigint, email text not null, constraint m_key unique (id)) partition by range (id);
			create table m_1 partition of m for values from (0) to (10);
			create table m_2 partition of m for values from (10) to (20)`,
		rules: []string{
			`errs.Constraint("m_1_id_key").Code("x"),`,
			`errs.NotNull("m_1", "email").Code("no_email"),`,
		},
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "m", Name: "email", Problem: "not all of them have a rule",
				Add: `errs.NotNull("m_2", "email").Code("no_email"),`},
			{Kind: schema.MissingRule, Table: "m", Name: "m_key", Problem: "has no rule",
				Add: `errs.Constraint("m_2_id_key").Code("id_taken").Field("/id"),`},
		},
	}, {
		name: "inheritance",
		schema: `
			create table base (n bigint not null, constraint base_n_check check (n > 0));
			create table derived (extra text) inherits (base)`,
		rules: []string{
			`errs.Constraint("base_n_check").On("base").Code("x"),`,
			`errs.NotNull("base", "n").Code("no_n"),`,
		},
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "base", Name: "base_n_check", Problem: "has no rule",
				Add: `errs.Constraint("base_n_check").On("derived").Code("n_invalid").Field("/n"),`},
			{Kind: schema.MissingRule, Table: "base", Name: "n", Problem: "not all of them have a rule",
				Add: `errs.NotNull("derived", "n").Code("no_n"),`},
		},
		after: []violation{{`insert into derived values (0)`, "n_invalid"}, {`insert into derived values (null)`, "no_n"}},
	}, {
		name: "domains",
		schema: `
			create domain posint as bigint constraint posint_check check (value > 0);
			create domain must as bigint not null;
			create table t (n posint, m must)`,
		rules: []string{`errs.NotNull("t", "m").Code("x"),`},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Table: "t", Name: "m", Problem: "only the domain", Drop: `errs.NotNull("t", "m")`,
				Add: `errs.DomainNotNull("must").Code("x"),`},
			{Kind: schema.MissingRule, Table: "posint", Name: "posint_check", Problem: "a check of a domain has no rule",
				Add: `errs.Constraint("posint_check").Code("posint_check"),`},
		},
		after: []violation{{`insert into t values (0, 1)`, "posint_check"}, {`insert into t values (1, null)`, "x"}},
	}, {
		name: "rules for domains",
		schema: `
			create domain base as bigint not null;
			create domain over as base;
			create domain loose as bigint constraint loose_check check (value > 0);
			create table t (a over, b loose)`,
		rules: []string{
			`errs.DomainNotNull("over").Code("no_a"),`,
			`errs.Constraint("loose_check").On("t").Code("b_invalid"),`,
			`errs.DomainNotNull("loose").Code("no_b"),`,
			`errs.DomainNotNull("gone").Code("x"),`,
		},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Table: "loose", Name: "loose", Problem: "may be NULL", Drop: `errs.DomainNotNull("loose")`},
			{Kind: schema.StaleRule, Table: "gone", Name: "gone", Problem: "is of this domain", Drop: `errs.DomainNotNull("gone")`},
		},
		after: []violation{{`insert into t values (null)`, "no_a"}, {`insert into t values (1, 0)`, "b_invalid"}},
	}, {
		name: "primary keys",
		schema: `
			create table a (code text primary key);
			create table b (code text primary key);
			create table c (x bigint, y bigint, primary key (x, y));
			insert into a values ('x')`,
		rules: []string{
			`errs.PrimaryKey("b", "x").Code("b_taken").Kind(errs.Conflict).Status(422),`,
			`errs.PrimaryKey("c", "x", "y").Missing("x", "", ""),`,
		},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Table: "b", Name: "b_pkey", Problem: "the columns of the primary key are code", Drop: `errs.PrimaryKey("b", "x")`,
				Add: `errs.PrimaryKey("b", "code").Code("b_taken").Kind(errs.Conflict).Status(422),`},
			{Kind: schema.WrongRule, Table: "c", Name: "c_pkey", Problem: "it is a primary key", Drop: `errs.PrimaryKey("c", "x", "y")`,
				Add: `errs.PrimaryKey("c", "x", "y").Code("x_y_taken"),`},
			{Kind: schema.MissingRule, Table: "a", Name: "a_pkey", Problem: "a primary key of code has no rule",
				Add: `errs.PrimaryKey("a").Code("code_taken").Field("/code"),`},
		},
		after: []violation{{`insert into a values ('x')`, "code_taken"}},
	}, {
		name: "a primary key that a domain makes, and a column beside one that the server makes",
		schema: `
			create domain made as uuid default gen_random_uuid();
			create table a (id made, constraint a_pk primary key (id));
			create table b (code text, at timestamptz default now(), constraint b_pk primary key (code) include (at))`,
		want: []schema.Finding{{Kind: schema.MissingRule, Table: "b", Name: "b_pk", Problem: "a primary key of code has no rule",
			Add: `errs.Constraint("b_pk").Code("code_taken").Field("/code"),`}},
	}, {
		name: "constraint triggers",
		schema: `
			create table t (n bigint);
			create function f() returns trigger language plpgsql as 'begin return null; end';
			create constraint trigger t_trigger after insert on t for each row execute function f()`,
	}})
}

func TestVerifyOnCockroachDB(t *testing.T) {
	two := `
		create table a (n bigint not null, constraint positive check (n > 0));
		create table b (n bigint not null, constraint positive check (n > 0))`
	runVerify(t, "cockroach", []verifyCase{{
		name: "a shared name with no rule", schema: two,
		want: []schema.Finding{{Kind: schema.MissingRule, Table: "a, b", Name: "positive", Problem: "does not say which table",
			Add: `errs.Constraint("positive").Code("n_invalid").Field("/n"),`}},
		after: []violation{{`insert into b values (0)`, "n_invalid"}},
	}, {
		name: "a shared name with a rule for one", schema: two,
		rules: []string{`errs.Constraint("positive").On("a").Code("a_n"),`},
		want: []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "positive", Problem: "does not say which table",
			Add: `errs.Constraint("positive").Code("a_n"),`}},
		after: []violation{{`insert into b values (0)`, "a_n"}},
	}, {
		name: "a shared name with a rule for each", schema: two,
		rules: []string{
			`errs.Constraint("positive").On("a").Code("a_n"),`,
			`errs.Constraint("positive").On("b").Code("b_n"),`,
		},
		want: []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "positive", Problem: "does not say which table",
			Add: `errs.Constraint("positive").Code("a_n"),`}},
	}, {
		name: "a shared name with a rule for all", schema: two,
		rules: []string{`errs.Constraint("positive").Code("n"),`},
	}, {
		name: "a foreign key and a check of one name",
		schema: `
			create table p (id uuid primary key default gen_random_uuid());
			create table a (n bigint, constraint same check (n > 0));
			create table b (n uuid, constraint same foreign key (n) references p (id))`,
		want:    []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "same", Problem: "rename one of them"}},
		remains: true,
	}, {
		name: "NOT NULL in two tables, a rule for one", schema: two,
		rules:   []string{`errs.Constraint("positive").Code("n"),`, `errs.NotNull("a", "n").Code("no_n"),`},
		want:    []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "n", Problem: "a NULL in b is taken for the client's fault"}},
		after:   []violation{{`insert into b values (null)`, "no_n"}},
		remains: true,
	}, {
		name: "NOT NULL in two tables, a rule for each", schema: two,
		rules:   []string{`errs.Constraint("positive").Code("n"),`, `errs.NotNull("a", "n").Code("no_a"),`, `errs.NotNull("b", "n").Code("no_b"),`},
		want:    []schema.Finding{{Kind: schema.SharedName, Table: "a, b", Name: "n", Problem: "but not which"}},
		after:   []violation{{`insert into b values (null)`, "required"}},
		remains: true,
	}, {
		name: "primary keys by their columns",
		schema: `
			create table a (code text, primary key (code));
			create table b (x bigint, y bigint, primary key (x, y));
			create table c (z bigint, primary key (z));
			create table d (w bigint, primary key (w));
			insert into a values ('x'); insert into c values (1)`,
		rules: []string{
			`errs.PrimaryKey("b", "x", "y").Code("b_taken"),`,
			`errs.PrimaryKey("c").Code("c_taken"),`,
			`errs.PrimaryKey("d", "x").Code("d_taken"),`,
			`errs.Constraint("primary").Code("any"),`,
		},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Name: "primary", Problem: "gives every primary key this name", Drop: `errs.Constraint("primary")`},
			{Kind: schema.WrongRule, Table: "c", Name: "c_pkey", Problem: "the columns of the primary key are z", Drop: `errs.PrimaryKey("c")`,
				Add: `errs.PrimaryKey("c", "z").Code("c_taken"),`},
			{Kind: schema.WrongRule, Table: "d", Name: "d_pkey", Problem: "the columns of the primary key are w", Drop: `errs.PrimaryKey("d", "x")`,
				Add: `errs.PrimaryKey("d", "w").Code("d_taken"),`},
			{Kind: schema.MissingRule, Table: "a", Name: "primary", Problem: "a primary key of code has no rule",
				Add: `errs.PrimaryKey("a", "code").Code("code_taken").Field("/code"),`},
		},
		after: []violation{{`insert into a values ('x')`, "code_taken"}, {`insert into c values (1)`, "c_taken"}},
	}, {
		name: "primary keys of the same columns",
		schema: `
			create table a (code text primary key);
			create table b (code text primary key)`,
		rules: []string{`errs.PrimaryKey("a", "code").Code("a_taken"),`},
		want: []schema.Finding{
			{Kind: schema.SharedName, Table: "a", Name: "primary", Problem: "b has a primary key of the same columns (code)"},
			{Kind: schema.MissingRule, Table: "b", Name: "primary", Problem: "can have none: a has one of the same columns"},
		},
		remains: true,
	}, {
		name: "its own columns and checks",
		schema: `
			set experimental_enable_hash_sharded_indexes = on;
			create table t (id bigint, constraint t_pk primary key (id) using hash with bucket_count = 4);
			create table u (n bigint)`,
		want: []schema.Finding{{Kind: schema.MissingRule, Table: "t", Name: "t_pk", Problem: "a primary key of id has no rule",
			Add: `errs.Constraint("t_pk").Code("id_taken").Field("/id"),`}},
	}})
}
