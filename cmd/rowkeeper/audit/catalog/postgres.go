package catalog

// Tables of extensions are not the application's. A partition is part of its parent.
const sqlPostgresTables = `
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, coalesce(d.description, ''),
	pg_catalog.pg_get_userbyid(c.relowner)::text, c.reltuples::float8, c.relpersistence = 'u',
	c.relrowsecurity, c.relforcerowsecurity,
	case
		when c.relispartition then 'a partition'
		when c.relkind = 'f' then 'a foreign table'
		when exists (
			select from pg_catalog.pg_depend e
			where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e') then 'of an extension'
		else ''
	end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
	on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid = 0
where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't'
	and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
	and (cardinality($1::text[]) = 0 or n.nspname = any ($1::text[]))
order by n.nspname, c.relname`

// Type modifier -1 names a type without a length. A NOT NULL of its own kind that is not
// valid exists since version 18.
const sqlPostgresColumns = `
select a.attrelid::int8, a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod),
	pg_catalog.format_type(bt.oid, -1), typ.typtype = 'e' or bt.typtype = 'e', coalesce(com.description, ''),
	a.attnotnull or coalesce(base.not_null, false),
	base.not_null is not true and exists (
		select from pg_catalog.pg_constraint k
		where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated),
	coalesce(base.checked, false),
	a.attgenerated = '' and (a.atthasdef or typ.typdefault is not null),
	coalesce(case when a.attgenerated = '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), typ.typdefault) end, ''),
	a.attidentity <> '', a.attgenerated <> '', false
from pg_catalog.pg_attribute a
join pg_catalog.pg_type typ on typ.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_description com
	on com.objoid = a.attrelid and com.classoid = 'pg_catalog.pg_class'::regclass and com.objsubid = a.attnum
left join lateral (
	with recursive up (oid, base, not_null) as (
		select typ.oid, typ.typbasetype, typ.typnotnull
		union
		select d.oid, d.typbasetype, d.typnotnull from up join pg_catalog.pg_type d on d.oid = up.base)
	select max(oid::int8) filter (where base = 0)::oid as oid, bool_or(not_null) as not_null,
		bool_or(base <> 0 and exists (
			select from pg_catalog.pg_constraint k where k.contypid = up.oid and k.contype = 'c')) as checked
	from up) as base on typ.typtype = 'd'
join pg_catalog.pg_type bt on bt.oid = coalesce(base.oid, typ.oid)
where a.attrelid::int8 = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`

// An index is being built if a session holds the lock that CREATE INDEX CONCURRENTLY and
// REINDEX CONCURRENTLY take on its table.
const sqlPostgresIndexes = `
select i.indrelid::int8, ic.relname::text,
	i.indkey::int2[], i.indnkeyatts,
	coalesce(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), ''),
	i.indisunique, i.indisprimary, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ''),
	not i.indimmediate, i.indisexclusion, i.indisvalid,
	not i.indisvalid and exists (
		select from pg_catalog.pg_locks l
		where l.relation = i.indrelid and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
			and l.mode = 'ShareUpdateExclusiveLock' and l.pid <> pg_catalog.pg_backend_pid()),
	coalesce(con.conname::text, '')
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
left join pg_catalog.pg_constraint con
	on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u', 'x')
where i.indrelid::int8 = any ($1::int8[]) and i.indislive
order by i.indrelid, ic.relname`

// Enforcement, which version 18 may switch off, is read through JSON, because earlier
// versions have no such column. Foreign keys of partitions come from one of the parent.
const sqlPostgresConstraints = `
select con.contype::text, coalesce(pg_catalog.pg_get_constraintdef(con.oid), ''), con.conrelid::int8, con.conname::text,
	coalesce(con.conkey, '{}'), con.confrelid::int8, coalesce(con.confkey, '{}'),
	con.confdeltype::text, con.convalidated, pg_catalog.to_jsonb(con) ->> 'conenforced' is distinct from 'false'
from pg_catalog.pg_constraint con
where con.conrelid::int8 = any ($1::int8[]) and con.conparentid = 0
	and (con.contype in ('c', 'f') or con.contype = 'n' and not con.convalidated)
order by con.conrelid, con.conname, con.oid`

// Bits of tgtype: 2 is BEFORE, 4 is INSERT, 16 is UPDATE.
const sqlPostgresTriggers = `
select t.tgrelid::int8, t.tgname::text, t.tgenabled = 'D',
	case when t.tgisinternal then coalesce(con.conname::text, '') else '' end,
	t.tgtype & 2 <> 0 and t.tgtype & 20 <> 0
from pg_catalog.pg_trigger t
left join pg_catalog.pg_constraint con on con.oid = t.tgconstraint
where t.tgrelid::int8 = any ($1::int8[]) and (not t.tgisinternal or t.tgenabled = 'D' and con.contype = 'f')
order by t.tgrelid, t.tgname`

const sqlPostgresPolicies = `
select p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive,
	array(
		select case r when 0 then 'public' else pg_catalog.pg_get_userbyid(r)::text end from unnest(p.polroles) as r order by 1),
	coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''),
	coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
from pg_catalog.pg_policy p
where p.polrelid::int8 = any ($1::int8[])
order by p.polrelid, p.polname`

const sqlPostgresViews = `
select v.oid::int8, n.nspname::text, v.relname::text, coalesce(d.description, ''), v.relkind = 'm',
	r.rolname::text, r.rolsuper or r.rolbypassrls,
	coalesce('security_invoker=true' = any (v.reloptions) or 'security_invoker=on' = any (v.reloptions)
		or 'security_invoker=1' = any (v.reloptions) or 'security_invoker=yes' = any (v.reloptions), false),
	array(
		select distinct case a.grantee when 0 then 'public' else pg_catalog.pg_get_userbyid(a.grantee)::text end
		from pg_catalog.aclexplode(v.relacl) as a
		where a.privilege_type = 'SELECT' and a.grantee <> v.relowner order by 1),
	array(
		select distinct w.refobjid::int8
		from pg_catalog.pg_rewrite rule
		join pg_catalog.pg_depend w on w.classid = 'pg_catalog.pg_rewrite'::regclass and w.objid = rule.oid
		where rule.ev_class = v.oid and w.refclassid = 'pg_catalog.pg_class'::regclass and w.refobjid <> v.oid order by 1)
from pg_catalog.pg_class v
join pg_catalog.pg_namespace n on n.oid = v.relnamespace
join pg_catalog.pg_roles r on r.oid = v.relowner
left join pg_catalog.pg_description d
	on d.objoid = v.oid and d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid = 0
where v.relkind in ('v', 'm') and v.relpersistence <> 't'
	and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
	and (cardinality($1::text[]) = 0 or n.nspname = any ($1::text[]))
	and not exists (
		select from pg_catalog.pg_depend e
		where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = v.oid and e.deptype = 'e')
order by n.nspname, v.relname`

// The view pg_sequences reports no last value to roles that may not read it.
const sqlPostgresSequences = `
select s.seqrelid::int8, n.nspname::text, c.relname::text, pg_catalog.format_type(s.seqtypid, -1),
	s.seqmax, s.seqincrement, coalesce(p.last_value, 0), s.seqcycle, coalesce(d.refobjid::int8, 0), coalesce(a.attname::text, '')
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_sequences p on p.schemaname = n.nspname and p.sequencename = c.relname
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.seqrelid
	and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
	and (cardinality($1::text[]) = 0 or n.nspname = any ($1::text[]))
order by n.nspname, c.relname`

const sqlPostgresSettings = `
select name, setting, source from pg_catalog.pg_settings
where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`
