package schema

// The statements read the system catalogs only.

const sqlAbout = `
select version()::text, coalesce(array(select s::text from unnest(current_schemas(false)) as u(s)), '{}'),
	current_user::text, session_user::text`

// The tables and views of the schemas, and tables of any schema that inherit from
// them. Tables of extensions are not the application's to declare.
const sqlPostgresTables = `
with recursive tables (oid, parent) as (
	select c.oid, null::oid
	from pg_catalog.pg_class c
	join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname = any ($1::text[]) and c.relkind in ('r', 'p', 'f', 'v', 'm')
	union
	select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i join tables on tables.oid = i.inhparent
)
select c.oid::int8, coalesce(max(tables.parent::int8), 0), n.nspname::text, c.relname::text, c.relkind::text,
	c.relrowsecurity, c.relforcerowsecurity,
	pg_catalog.pg_has_role(c.relowner, 'usage'), pg_catalog.has_table_privilege(c.oid, 'truncate'),
	coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions), false),
	coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '')
from tables
join pg_catalog.pg_class c on c.oid = tables.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not exists (
	select from pg_catalog.pg_depend d
	where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
group by c.oid, n.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.reloptions
order by n.nspname, c.relname`

// A column of a domain is sent and received as one of the base type. Type modifier -1
// names a type without a length, which a cast would truncate values to.
const sqlPostgresColumns = `
select a.attrelid::int8, a.attname::text, base.oid::int8, pg_catalog.format_type(base.oid, -1),
	a.attnotnull or base.not_null, a.atthasdef or typ.typdefault is not null, a.attidentity::text, a.attgenerated <> '',
	a.attgenerated = 'v',
	not base.not_null and exists (
		select from pg_catalog.pg_constraint k
		where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated),
	coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), typ.typdefault, '')
from pg_catalog.pg_attribute a
join pg_catalog.pg_type typ on typ.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
cross join lateral (
	with recursive up (oid, base, not_null) as (
		select typ.oid, typ.typbasetype, typ.typnotnull
		union
		select d.oid, d.typbasetype, d.typnotnull from up join pg_catalog.pg_type d on d.oid = up.base)
	select max(oid::int8) filter (where base = 0)::oid as oid, bool_or(not_null) as not_null from up) as base
where a.attrelid::int8 = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`

const sqlPostgresIndexes = `
select i.indrelid::int8, ic.relname::text,
	array(
		select coalesce(a.attname::text, '')
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where k.ord <= i.indnkeyatts order by k.ord),
	i.indisunique, i.indisprimary, i.indpred is not null, i.indisvalid and i.indimmediate,
	coalesce(con.conname::text, ''), i.indisexclusion, not i.indimmediate
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u')
where i.indrelid::int8 = any ($1::int8[]) and i.indislive
order by i.indrelid, ic.relname`

const sqlPostgresForeignKeys = sqlForeignKeys + `
	pg_catalog.to_jsonb(con) ->> 'conenforced' is distinct from 'false'` + sqlOfForeignKeys // since 18

const sqlCockroachForeignKeys = sqlForeignKeys + `
	true` + sqlOfForeignKeys

const sqlForeignKeys = `
select con.conrelid::int8, con.confrelid::int8, con.conname::text,
	array(
		select a.attname::text from unnest(con.conkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num order by k.ord),
	array(
		select a.attname::text from unnest(con.confkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.num order by k.ord),
	con.convalidated,`

const sqlOfForeignKeys = `
from pg_catalog.pg_constraint con
where con.contype = 'f' and con.conrelid::int8 = any ($1::int8[])
order by con.conrelid, con.conname`

const sqlPolicies = `
select p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive, p.polroles = '{0}',
	coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''),
	coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
from pg_catalog.pg_policy p
where p.polrelid::int8 = any ($1::int8[])
order by p.polrelid, p.polname`

const sqlViews = `
select distinct v.oid::int8, d.refobjid::int8, r.rolsuper or r.rolbypassrls,
	pg_catalog.has_table_privilege(v.oid, 'select')
from pg_catalog.pg_class v
join pg_catalog.pg_roles r on r.oid = v.relowner
join pg_catalog.pg_rewrite w on w.ev_class = v.oid
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
	and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> v.oid
join pg_catalog.pg_namespace n on n.oid = v.relnamespace
where v.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
order by 1, 2`

const sqlRoles = `
select rolname::text, rolsuper, rolbypassrls from pg_catalog.pg_roles
where rolname in (current_user, session_user) order by rolname <> current_user`

// CockroachDB has neither inheritance nor partitions that are tables, nor domains,
// extensions and foreign tables.
const sqlCockroachTables = `
select c.oid::int8, 0::int8, n.nspname::text, c.relname::text, c.relkind::text,
	false, false, false, false, false, coalesce(obj_description(c.oid), '')
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any ($1::text[]) and c.relkind in ('r', 'v', 'm')
order by n.nspname, c.relname`

const sqlCockroachColumns = `
select a.attrelid::int8, a.attname::text, a.atttypid::int8, format_type(a.atttypid, -1),
	a.attnotnull, a.atthasdef, a.attidentity::text, a.attgenerated <> '', a.attgenerated = 'v', false,
	coalesce(pg_get_expr(d.adbin, d.adrelid), '')
from pg_catalog.pg_attribute a
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid::int8 = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped
	and a.attname not like 'crdb_internal_%'
order by a.attrelid, a.attnum`

// A hash-sharded index begins with a column of its own and serves the following
// columns nevertheless. Older versions report neither how many columns belong to the
// key, if there are no others, nor the predicate of a partial index.
const sqlCockroachIndexes = `
select i.indrelid::int8, ic.relname::text,
	array(
		select case when a.attname like 'crdb_internal_idx_expr%' then '' else coalesce(a.attname::text, '') end
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where k.ord <= coalesce(i.indnkeyatts, 32767) and (a.attname is null or a.attname not like 'crdb_internal_%_shard_%') order by k.ord),
	i.indisunique, i.indisprimary, i.indpred is not null or pg_get_indexdef(i.indexrelid) like '% WHERE %', i.indisvalid, '', false, false
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
where i.indrelid::int8 = any ($1::int8[])
order by i.indrelid, ic.relname`
