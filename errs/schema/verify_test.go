package schema_test

import (
	"go/ast"
	"go/parser"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

var kinds = map[string]errs.Kind{"Conflict": errs.Conflict, "AlreadyExists": errs.AlreadyExists, "ReferenceNotFound": errs.ReferenceNotFound}

// evaluate makes the rules of a source text such as Finding.Add.
func evaluate(t *testing.T, source string) (rules []errs.Rule) {
	t.Helper()
	list, err := parser.ParseExpr("[]errs.Rule{" + source + "\n}")
	require.NoError(t, err, "%s", source)
	makers := map[string]reflect.Value{
		"Constraint":    reflect.ValueOf(errs.Constraint),
		"NotNull":       reflect.ValueOf(errs.NotNull),
		"PrimaryKey":    reflect.ValueOf(errs.PrimaryKey),
		"DomainNotNull": reflect.ValueOf(errs.DomainNotNull),
	}
	var value func(e ast.Expr) reflect.Value
	value = func(e ast.Expr) reflect.Value {
		call := e.(*ast.CallExpr)
		f := call.Fun.(*ast.SelectorExpr)
		var method reflect.Value
		if name, ok := f.X.(*ast.Ident); ok {
			require.Equal(t, "errs", name.Name)
			method = makers[f.Sel.Name]
		} else {
			method = value(f.X).MethodByName(f.Sel.Name)
		}
		require.True(t, method.IsValid(), "%s", f.Sel.Name)
		var args []reflect.Value
		for _, a := range call.Args {
			switch a := a.(type) {
			case *ast.SelectorExpr:
				args = append(args, reflect.ValueOf(kinds[a.Sel.Name]))
			case *ast.BasicLit:
				if number, err := strconv.Atoi(a.Value); err == nil {
					args = append(args, reflect.ValueOf(number))
					continue
				}
				text, err := strconv.Unquote(a.Value)
				require.NoError(t, err)
				args = append(args, reflect.ValueOf(text))
			}
		}
		return method.Call(args)[0]
	}
	for _, e := range list.(*ast.CompositeLit).Elts {
		rules = append(rules, value(e).Interface().(errs.Rule))
	}
	return rules
}

func catalogOf(t *testing.T, lines []string) *errs.Catalog {
	t.Helper()
	return errs.NewCatalog(evaluate(t, strings.Join(lines, "\n"))...)
}

// mend applies the findings to the rules.
func mend(rules []string, findings []schema.Finding) (mended []string) {
	for _, r := range rules {
		drop := false
		for _, f := range findings {
			rest, ok := strings.CutPrefix(r, f.Drop)
			drop = drop || f.Drop != "" && ok && !strings.HasPrefix(rest, ".On(")
		}
		if !drop {
			mended = append(mended, r)
		}
	}
	for _, f := range findings {
		if f.Add != "" {
			mended = append(mended, strings.Split(f.Add, "\n")...)
		}
	}
	return mended
}

type violation struct{ sql, code string }

type verifyCase struct {
	name   string
	schema string
	rules  []string
	want   []schema.Finding // Problem is a part of it

	// after are the codes that clients get once the findings are fixed.
	after []violation

	// remains reports that no rule can fix it.
	remains bool

	// later are names that a later version of the server gives, each after the one in
	// want.
	later []string
}

func (c verifyCase) run(t *testing.T, db *dbtest.DB) {
	_, err := db.Exec(t.Context(), c.schema)
	require.NoError(t, err)
	findings, err := schema.Verify(t.Context(), db, catalogOf(t, c.rules))
	require.NoError(t, err)
	for i, f := range findings {
		if i >= len(c.want) {
			break
		}
		require.Contains(t, f.Problem, c.want[i].Problem)
		f.Problem = c.want[i].Problem
		for j := 0; j < len(c.later); j += 2 {
			f.Add = strings.ReplaceAll(f.Add, `"`+c.later[j+1]+`"`, `"`+c.later[j]+`"`)
		}
		require.Equal(t, c.want[i], f)
	}
	require.Len(t, findings, len(c.want), "%v", findings)

	mended := mend(c.rules, findings)
	catalog := catalogOf(t, mended)
	findings, err = schema.Verify(t.Context(), db, catalog)
	require.NoError(t, err)
	if !c.remains {
		require.Empty(t, findings, "%s", strings.Join(mended, "\n"))
	}
	for _, bad := range c.after {
		_, err := db.Exec(t.Context(), bad.sql)
		require.Error(t, err, "%s", bad.sql)
		require.Equal(t, bad.code, translate(t, catalog, err).Code(), "%s: %v", bad.sql, err)
	}
}

func runVerify(t *testing.T, engines string, cases []verifyCase) {
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				switch {
				case engines == "postgres" && db.Cockroach():
					t.Skip("CockroachDB has no such thing")
				case engines == "cockroach" && !db.Cockroach():
					t.Skip("PostgreSQL sends the table")
				}
				c.run(t, db)
			})
		})
	}
}

func TestVerifyOnBothEngines(t *testing.T) {
	runVerify(t, "", []verifyCase{{
		name: "nothing at all",
	}, {
		name: "clean",
		schema: `
			create table customers (
				id bigint, email text not null, note text not null,
				constraint customers_pk primary key (id),
				constraint customers_email_key unique (email),
				constraint customers_note_check check (note <> ''));
			create table orders (
				id uuid primary key default gen_random_uuid(), customer_id bigint not null,
				constraint orders_customer_fkey foreign key (customer_id) references customers (id));
			create table plain (id uuid primary key default gen_random_uuid(), note text)`,
		rules: []string{
			`errs.Constraint("customers_pk").Code("id_taken").Field("/id"),`,
			`errs.Constraint("customers_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),`,
			`errs.Constraint("customers_note_check").On("customers").Code("empty_note"),`,
			`errs.Constraint("orders_customer_fkey").On("orders").Missing("unknown_customer", "/customer_id", "There is no such customer.").InUse("customer_has_orders", ""),`,
			`errs.NotNull("customers", "email").Code("email_required").Field("/email"),`,
		},
	}, {
		name: "no rules",
		schema: `
			create table users (
				id bigint primary key default 7 + floor(random() * 100000000)::bigint,
				email text not null, tenant bigint, age bigint, "odd/~Name" text,
				constraint users_email_key unique (email),
				constraint users_pair_key unique (tenant, age),
				constraint users_age_check check (age > 0),
				constraint "Users age, tenant" check (age > tenant),
				constraint users_odd_key unique ("odd/~Name"));
			create unique index users_partial on users (age) where tenant > 0;
			create table posts (
				id bigint primary key default 7 + floor(random() * 100000000)::bigint,
				user_id bigint not null, other bigint,
				constraint posts_user_fkey foreign key (user_id) references users (id),
				constraint posts_other_fkey foreign key (other) references users (id) on delete cascade);
			insert into users (id, email, tenant, age) values (1, 'a', 1, 2);
			insert into posts (user_id) values (1)`,
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "posts", Name: "posts_other_fkey", Problem: "a foreign key of other has no rule",
				Add: `errs.Constraint("posts_other_fkey").On("posts").Missing("unknown_other", "/other", ""),`},
			{Kind: schema.MissingRule, Table: "posts", Name: "posts_user_fkey", Problem: "a foreign key of user_id has no rule",
				Add: `errs.Constraint("posts_user_fkey").On("posts").Missing("unknown_user", "/user_id", "").InUse("users_in_use", ""),`},
			{Kind: schema.MissingRule, Table: "users", Name: "Users age, tenant", Problem: "a check constraint of",
				Add: `errs.Constraint("Users age, tenant").On("users").Code("users_age__tenant"),`},
			{Kind: schema.MissingRule, Table: "users", Name: "users_age_check", Problem: "a check constraint of age has no rule",
				Add: `errs.Constraint("users_age_check").On("users").Code("age_invalid").Field("/age"),`},
			{Kind: schema.MissingRule, Table: "users", Name: "users_email_key", Problem: "a unique constraint of email has no rule",
				Add: `errs.Constraint("users_email_key").Code("email_taken").Field("/email"),`},
			{Kind: schema.MissingRule, Table: "users", Name: "users_odd_key", Problem: "has no rule",
				Add: `errs.Constraint("users_odd_key").Code("odd__name_taken").Field("/odd~1~0Name"),`},
			{Kind: schema.MissingRule, Table: "users", Name: "users_pair_key", Problem: "a unique constraint of tenant, age has no rule",
				Add: `errs.Constraint("users_pair_key").Code("tenant_age_taken"),`},
			{Kind: schema.MissingRule, Table: "users", Name: "users_partial", Problem: "of age has no rule",
				Add: `errs.Constraint("users_partial").Code("age_taken").Field("/age"),`},
		},
		after: []violation{
			{`insert into users (email) values ('a')`, "email_taken"},
			{`insert into users (email, age) values ('b', 0)`, "age_invalid"},
			{`insert into users (email, age, tenant) values ('b', 1, 2)`, "users_age__tenant"},
			{`insert into users (email, age, tenant) values ('b', 2, 1)`, "tenant_age_taken"},
			{`insert into posts (user_id) values (2)`, "unknown_user"},
			{`delete from users`, "users_in_use"},
		},
	}, {
		name: "keys that the client makes",
		schema: `
			create table countries (code text, constraint countries_code_pk primary key (code));
			create table codes (code text default 'x', constraint codes_pk primary key (code));
			create table lines (tenant bigint, id bigint default floor(random() * 100000000)::bigint, constraint lines_pk primary key (tenant, id))`,
		want: []schema.Finding{
			{Kind: schema.MissingRule, Table: "codes", Name: "codes_pk", Problem: "a primary key of code has no rule",
				Add: `errs.Constraint("codes_pk").Code("code_taken").Field("/code"),`},
			{Kind: schema.MissingRule, Table: "countries", Name: "countries_code_pk", Problem: "a primary key of code has no rule",
				Add: `errs.Constraint("countries_code_pk").Code("code_taken").Field("/code"),`},
		},
	}, {
		name:   "a rule for a key that the server makes",
		schema: `create table t (id uuid default gen_random_uuid(), constraint t_pk primary key (id))`,
		rules:  []string{`errs.Constraint("t_pk").Code("id_taken"),`},
	}, {
		name:   "stale",
		schema: `create table t (a bigint constraint t_a_check check (a > 0))`,
		rules: []string{
			`errs.Constraint("gone").Code("x"),`,
			`errs.Constraint("t_a_check").On("u").Code("x"),`,
			`errs.NotNull("t", "b").Code("x"),`,
			`errs.NotNull("u", "a").Code("x"),`,
		},
		want: []schema.Finding{
			{Kind: schema.StaleRule, Name: "gone", Problem: "no constraint or unique index of the schema t_", Drop: `errs.Constraint("gone")`},
			{Kind: schema.StaleRule, Table: "t", Name: "b", Problem: "no such column", Drop: `errs.NotNull("t", "b")`},
			{Kind: schema.StaleRule, Table: "u", Name: "a", Problem: "has no such table", Drop: `errs.NotNull("u", "a")`},
			{Kind: schema.StaleRule, Table: "u", Name: "t_a_check", Problem: "only t has", Drop: `errs.Constraint("t_a_check").On("u")`,
				Add: `errs.Constraint("t_a_check").On("t").Code("a_invalid").Field("/a"),`},
		},
	}, {
		name: "of the wrong sort",
		schema: `
			create table p (id uuid primary key default gen_random_uuid(), a bigint, b bigint, constraint p_a_key unique (a), constraint p_b_check check (b > 0));
			create table c (
				r uuid, s uuid, u uuid,
				constraint c_r_fkey foreign key (r) references p (id),
				constraint c_s_fkey foreign key (s) references p (id),
				constraint c_u_fkey foreign key (u) references p (id))`,
		rules: []string{
			`errs.Constraint("p_a_key").Missing("x", "/x", ""),`,
			`errs.Constraint("p_b_check").On("p").InUse("x", ""),`,
			`errs.Constraint("c_r_fkey").On("c").Code("x").Field("/x"),`,
			`errs.Constraint("c_s_fkey").On("c").Missing("no_s", "/s", "No \"s\"."),`,
			`errs.Constraint("c_u_fkey").InUse("u_used", "Used."),`,
			`errs.NotNull("p", "a").Code("x"),`,
		},
		want: []schema.Finding{
			{Kind: schema.WrongRule, Table: "c", Name: "c_r_fkey", Problem: "its Code is never used", Drop: `errs.Constraint("c_r_fkey").On("c")`,
				Add: `errs.Constraint("c_r_fkey").On("c").Missing("unknown_r", "/r", "").InUse("p_in_use", ""),`},
			{Kind: schema.WrongRule, Table: "c", Name: "c_s_fkey", Problem: "has no InUse: deleting a row of p", Drop: `errs.Constraint("c_s_fkey").On("c")`,
				Add: `errs.Constraint("c_s_fkey").On("c").Missing("no_s", "/s", "No \"s\".").InUse("p_in_use", ""),`},
			{Kind: schema.WrongRule, Table: "c", Name: "c_u_fkey", Problem: "has no Missing", Drop: `errs.Constraint("c_u_fkey")`,
				Add: `errs.Constraint("c_u_fkey").Missing("unknown_u", "/u", "").InUse("u_used", "Used."),`},
			{Kind: schema.WrongRule, Table: "p", Name: "a", Problem: "may be NULL", Drop: `errs.NotNull("p", "a")`},
			{Kind: schema.WrongRule, Table: "p", Name: "p_a_key", Problem: "it is a unique constraint: the rule needs Code", Drop: `errs.Constraint("p_a_key")`,
				Add: `errs.Constraint("p_a_key").Code("a_taken").Field("/a"),`},
			{Kind: schema.WrongRule, Table: "p", Name: "p_b_check", Problem: "it is a check constraint: the rule needs Code", Drop: `errs.Constraint("p_b_check").On("p")`,
				Add: `errs.Constraint("p_b_check").On("p").Code("b_invalid").Field("/b"),`},
		},
	}, {
		name: "with columns",
		schema: `
			create table p (id uuid primary key default gen_random_uuid());
			create table c (r uuid, constraint c_p foreign key (r) references p (id))`,
		rules: []string{`errs.Constraint("c_p").On("c").Columns("r").Missing("no_p", "/r", ""),`},
		want: []schema.Finding{{Kind: schema.WrongRule, Table: "c", Name: "c_p", Problem: "has no InUse", Drop: `errs.Constraint("c_p").On("c")`,
			Add: `errs.Constraint("c_p").On("c").Columns("r").Missing("no_p", "/r", "").InUse("p_in_use", ""),`}},
	}, {
		name: "not validated",
		schema: `
			create table t (a bigint);
			insert into t values (-1);
			alter table t add constraint t_a_check check (a > 0) not valid`,
		want: []schema.Finding{{Kind: schema.MissingRule, Table: "t", Name: "t_a_check", Problem: "has no rule",
			Add: `errs.Constraint("t_a_check").On("t").Code("a_invalid").Field("/a"),`}},
		after: []violation{{`insert into t values (-2)`, "a_invalid"}},
	}, {
		name:  "stale, of another kind and status",
		rules: []string{`errs.Constraint("gone").Code("x").Kind(errs.Conflict).Status(410),`},
		want:  []schema.Finding{{Kind: schema.StaleRule, Name: "gone", Problem: "no constraint", Drop: `errs.Constraint("gone")`}},
	}, {
		name: "a shared name with rules for each table and for any",
		schema: `
			create table a (n bigint, constraint positive check (n > 0));
			create table b (n bigint, constraint positive check (n > 0))`,
		rules: []string{
			`errs.Constraint("positive").Code("not_positive"),`,
			`errs.Constraint("positive").On("a").Code("a_not_positive"),`,
			`errs.Constraint("positive").On("b").Code("b_not_positive"),`,
		},
	}})
}
