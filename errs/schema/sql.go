package schema

// The statements read the system catalogs only. They take no argument, so they
// run in every mode of pgx.

const sqlAbout = `
select version()::text, coalesce(array(select s::text from unnest(current_schemas(false)) as u(s)), '{}')`

// The tables of the search_path, and tables of any schema that inherit from them.
// Tables of extensions are not the application's to declare.
const sqlPostgresTables = `
with recursive tables (oid) as (
	select c.oid
	from pg_catalog.pg_class c
	join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname = any (pg_catalog.current_schemas(false)) and c.relkind in ('r', 'p')
	union
	select i.inhrelid from pg_catalog.pg_inherits i join tables on tables.oid = i.inhparent
), owned (oid) as (
	select c.oid
	from tables join pg_catalog.pg_class c on c.oid = tables.oid
	where c.relkind in ('r', 'p') and not exists (
		select from pg_catalog.pg_depend d
		where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)`

// PostgreSQL names what was violated, which for a unique index is that of the
// partition, and for a check the constraint, but as one of the partition. For a
// foreign key between partitioned tables it is a different constraint on either
// side: those that point are clones for each partition (conrelid differs from
// the parent's), those pointed at are others, for each partition of the
// referenced table (conrelid is the same).
//
// An index and a constraint may have the same oid, so those of indexes are
// negative here.
//
// Enforcement, which a later version may switch off, is read through JSON, because
// earlier versions have no such column.
const sqlPostgresConstraints = sqlPostgresTables + `
select -(i.indexrelid::int8), coalesce(-(h.inhparent::int8), 0),
	coalesce(con.contype::text, 'i'),
	t.relname::text, ic.relname::text,
	array(
		select coalesce(a.attname::text, '')
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where k.ord <= i.indnkeyatts order by k.ord),
	'',
	i.indisprimary and exists (
		select from pg_catalog.pg_attribute a
		left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = i.indrelid and a.attnum = any (i.indkey::int2[]) and a.attgenerated = ''
			and (a.attidentity <> '' or pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '[[:alnum:]_"]\(')),
	t.relkind = 'r', false, false
from pg_catalog.pg_index i
join owned on owned.oid = i.indrelid
join pg_catalog.pg_class t on t.oid = i.indrelid
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
left join pg_catalog.pg_inherits h on h.inhrelid = i.indexrelid
left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x')
where (i.indisunique or i.indisexclusion) and i.indisready and i.indislive
union all
select con.oid::int8,
	coalesce(case con.contype when 'f' then con.conparentid::int8 else (
		select min(up.oid::int8)
		from pg_catalog.pg_inherits h
		join pg_catalog.pg_constraint up on up.conrelid = h.inhparent
		where h.inhrelid = con.conrelid and up.contype = 'c' and up.conname = con.conname and not up.connoinherit) end, 0),
	con.contype::text, t.relname::text, con.conname::text,
	array(
		select a.attname::text
		from unnest(con.conkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num
		order by k.ord),
	coalesce(target.relname::text, ''),
	false,
	case con.contype when 'f' then side.missing or side.in_use else t.relkind = 'r' end,
	con.contype = 'f' and side.missing,
	con.contype = 'f' and side.in_use and con.confdeltype in ('a', 'r')
from pg_catalog.pg_constraint con
join owned on owned.oid = con.conrelid
join pg_catalog.pg_class t on t.oid = con.conrelid
left join pg_catalog.pg_class target on target.oid = con.confrelid
left join pg_catalog.pg_constraint up on up.oid = con.conparentid
cross join lateral (select
	t.relkind = 'r' and up.conrelid is distinct from con.conrelid as missing,
	target.relkind = 'r' and (up.oid is null or up.conrelid = con.conrelid) as in_use) as side
where con.contype in ('c', 'f') and pg_catalog.to_jsonb(con) ->> 'conenforced' is distinct from 'false'
union all
select con.oid::int8, 0, 'd', t.typname::text, con.conname::text, '{}'::text[], '', false, true, false, false
from pg_catalog.pg_constraint con
join pg_catalog.pg_type t on t.oid = con.contypid
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where con.contype = 'c'
	and (n.nspname = any (pg_catalog.current_schemas(false)) or exists (
		select from pg_catalog.pg_attribute a join owned on owned.oid = a.attrelid
		where a.atttypid = t.oid and not a.attisdropped))
	and not exists (
		select from pg_catalog.pg_depend d
		where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
order by 4, 5, 1`

const sqlPostgresColumns = sqlPostgresTables + `
select t.oid::int8,
	coalesce((
		select min(h.inhparent::int8)
		from pg_catalog.pg_inherits h
		join pg_catalog.pg_attribute up on up.attrelid = h.inhparent
		where h.inhrelid = t.oid and up.attname = a.attname and up.attnum > 0 and not up.attisdropped), 0),
	t.relname::text, a.attname::text, t.relkind = 'r', a.attnotnull,
	case typ.typtype when 'd' then typ.typname::text else '' end, domain.not_null, a.attgenerated <> ''
from owned
join pg_catalog.pg_class t on t.oid = owned.oid
join pg_catalog.pg_attribute a on a.attrelid = t.oid
join pg_catalog.pg_type typ on typ.oid = a.atttypid
cross join lateral (
	with recursive base (oid, not_null) as (
		select typ.oid, typ.typnotnull
		union
		select up.oid, up.typnotnull
		from base
		join pg_catalog.pg_type d on d.oid = base.oid and d.typtype = 'd'
		join pg_catalog.pg_type up on up.oid = d.typbasetype)
	select bool_or(not_null) as not_null from base) as domain
where a.attnum > 0 and not a.attisdropped
order by 3, 4, 1`

// CockroachDB has neither inheritance nor partitions that are tables, nor
// domains. It lists unique indexes as constraints, in some versions not all of
// them. For hash-sharded indexes it has columns and checks of its own, and for
// expressions in an index columns of its own.
const sqlCockroachConstraints = `
select con.oid::int8, 0::int8, con.contype::text, t.relname::text, con.conname::text,
	array(
		select case when a.attname like 'crdb_internal_idx_expr%' then '' else a.attname::text end
		from pg_catalog.pg_attribute a
		where a.attrelid = con.conrelid and a.attnum = any (con.conkey) and a.attname not like 'crdb_internal_%_shard_%'
		order by array_position(con.conkey, a.attnum)),
	coalesce(target.relname::text, ''),
	con.contype = 'p' and exists (
		select 1
		from pg_catalog.pg_attribute a
		left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = con.conrelid and a.attnum = any (con.conkey) and a.attgenerated = ''
			and (a.attidentity <> '' or pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ '[[:alnum:]_"]\(')),
	true, con.contype = 'f', con.contype = 'f' and con.confdeltype in ('a', 'r')
from pg_catalog.pg_constraint con
join pg_catalog.pg_class t on t.oid = con.conrelid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
left join pg_catalog.pg_class target on target.oid = con.confrelid
where n.nspname = any (current_schemas(false)) and t.relkind = 'r'
	and con.contype in ('p', 'u', 'c', 'f') and con.conname not like 'check_crdb_internal_%'
union all
select -(i.indexrelid::int8), 0::int8, 'i', t.relname::text, ic.relname::text,
	array(
		select case when a.attname like 'crdb_internal_idx_expr%' then '' else coalesce(a.attname::text, '') end
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where a.attname is null or a.attname not like 'crdb_internal_%_shard_%'
		order by k.ord),
	'', false, true, false, false
from pg_catalog.pg_index i
join pg_catalog.pg_class t on t.oid = i.indrelid
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
where n.nspname = any (current_schemas(false)) and t.relkind = 'r' and i.indisunique and not i.indisprimary
	and not exists (
		select 1 from pg_catalog.pg_constraint con where con.conrelid = i.indrelid and con.conname = ic.relname)
order by 4, 5, 1`

const sqlCockroachColumns = `
select t.oid::int8, 0::int8, t.relname::text, a.attname::text, true, a.attnotnull, '', false, a.attgenerated <> ''
from pg_catalog.pg_class t
join pg_catalog.pg_namespace n on n.oid = t.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = t.oid
where n.nspname = any (current_schemas(false)) and t.relkind = 'r' and a.attnum > 0 and not a.attisdropped
order by 3, 4, 1`
