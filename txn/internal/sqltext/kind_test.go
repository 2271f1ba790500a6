package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInnocentStatements(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"select 1",
		"select count(*), max(a), coalesce(b, now()) from t where id in ($1, $2) and exists (select 1 from u)",
		"insert into t (a, b) values ($1, lower($2)) on conflict (a) do update set (a, b) = (excluded.a, excluded.b) returning (a)",
		`insert into "s"."t" (a) select a from u`,
		"insert into t as x (a) values (1)",
		"update t set a = greatest(a, $1), b = cast(b as numeric(10, 2)), c = $2::varchar(10) where (a) > all (select b from u)",
		"delete from t using u where t.a = u.a",
		"with x (a) as (select 1), y as not materialized (select 2) insert into t select a from x",
		"with recursive x (a) as (select 1 union all (select a + 1 from x)) select sum(a) over (partition by a) from x",
		"merge into t using (select 1 as a) u on (t.a = u.a) when matched then update set a = 2",
		"upsert into t (a) values (1)",
		"values (1), (2)",
		"select 'set_config(1)', $$ f(x) $$, \"f\" /* f( */ from t -- f(",
		"(select 1) union (select 2)",
	} {
		require.True(t, IsInnocent(sql), sql)
	}
	for _, sql := range []string{
		"",
		"set search_path = x",
		"create table x ()",
		"do 'begin end'",
		"call p()",
		"select set_config('search_path', 'x', true)",
		"select pg_catalog.set_config('search_path', 'x', true)",
		`select "set_config" ('search_path', 'x', true)`,
		"select SET_CONFIG/**/('search_path', 'x', true)",
		"insert into t values (f(1))",
		"insert into t (a) select f (a) from u",
		"update t set a = f(a)",
		"update t set a = 1 where f()",
		"delete from t returning f(a)",
		"with x as (select f()) select 1",
		"with x as (insert into t values (1) returning f()) select 1",
		"select * from f(1)",
		"select 1 into t",
		"select 1 as a into table t",
		"values (f())",
		"table t",
	} {
		require.False(t, IsInnocent(sql), sql)
	}
}
