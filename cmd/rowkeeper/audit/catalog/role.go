package catalog

import (
	"context"
	"fmt"
)

// A Role is the role of a service, and what it may do.
type Role struct {
	Name           string
	Super, Bypass  bool
	Tables         []*RoleTable   // those that it owns or may truncate
	Definers       []*Function    // functions that it may run with the rights of their owner
	WeakDurability bool           // it commits without waiting for the disk
	CanReadViews   map[int64]bool // by ID
}

// A RoleTable is a table that a role owns or may truncate.
type RoleTable struct {
	Table     int64
	Owns      bool
	Truncates bool
	Grantee   string // who has the right to truncate: the role, one that it is in, or "public"
}

// A Function is a function that runs with the rights of its owner, without a search_path
// of its own.
type Function struct {
	Schema, Name, Arguments, Owner string
}

const sqlRole = `select rolname::text, rolsuper, rolbypassrls from pg_catalog.pg_roles where rolname = $1`

// A superuser may do anything, which is reported by itself.
const sqlPostgresRoleTables = `
select c.oid::int8, pg_catalog.pg_has_role($2::name, c.relowner, 'usage'),
	coalesce(acl.grantee is not null, false), coalesce(acl.grantee, '')
from pg_catalog.pg_class c
left join lateral (
	select case a.grantee when 0 then 'public' else pg_catalog.pg_get_userbyid(a.grantee)::text end as grantee
	from pg_catalog.aclexplode(c.relacl) as a
	where a.privilege_type = 'TRUNCATE' and (a.grantee = 0 or pg_catalog.pg_has_role($2::name, a.grantee, 'usage'))
	order by a.grantee = 0 limit 1) as acl on true
where c.oid::int8 = any ($1::int8[])
	and (acl.grantee is not null or pg_catalog.pg_has_role($2::name, c.relowner, 'usage'))
order by c.oid`

const sqlPostgresDefiners = `
select n.nspname::text, p.proname::text, pg_catalog.pg_get_function_identity_arguments(p.oid), pg_catalog.pg_get_userbyid(p.proowner)::text
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and p.prokind = 'f' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
	and exists (select from pg_catalog.pg_class c where c.relnamespace = n.oid and c.oid::int8 = any ($1::int8[]))
	and not exists (select from unnest(p.proconfig) as s (setting) where s.setting like 'search_path=%')
	and pg_catalog.has_function_privilege($2::name, p.oid, 'execute')
	and not exists (
		select from pg_catalog.pg_depend e
		where e.classid = 'pg_catalog.pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')
order by 1, 2, 3`

const sqlPostgresReadableViews = `
select v.oid::int8 from pg_catalog.pg_class v
where v.relkind in ('v', 'm') and v.relpersistence <> 't' and pg_catalog.has_table_privilege($1::name, v.oid, 'select')`

const sqlPostgresRoleDurability = `
select count(*) from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_roles r on r.oid = s.setrole
where r.rolname = $1 and 'synchronous_commit=off' = any (s.setconfig)`

// CockroachDB demands the privilege DROP for TRUNCATE. Version 21.1 cannot say who is
// in a role, so only the role itself is looked at.
const sqlCockroachRoleTables = `
select c.oid::int8, r.rolname = $2, coalesce(g.n > 0, false), case when g.n > 0 then $2 else '' end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_roles r on r.oid = c.relowner
left join (
	select table_schema, table_name, count(*) as n from information_schema.table_privileges
	where grantee = $2 and privilege_type in ('DROP', 'ALL') group by table_schema, table_name) as g
	on g.table_schema = n.nspname and g.table_name = c.relname
where c.oid::int8 = any ($1::int8[]) and (r.rolname = $2 or g.n > 0)
order by 1`

func (c *Catalog) readRole(ctx context.Context, db DB, name string, tables []int64) error {
	type role struct {
		Name          string
		Super, Bypass bool
	}
	found, err := collect[role](ctx, db, sqlRole, name)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("the database has no role %q", name)
	}
	c.Role = &Role{Name: name, Super: found[0].Super, Bypass: found[0].Bypass}
	c.Role.Tables, err = collect[RoleTable](ctx, db, c.on(sqlPostgresRoleTables, sqlCockroachRoleTables), tables, name)
	if err != nil || c.Cockroach() {
		return err
	}
	if c.Role.Definers, err = collect[Function](ctx, db, sqlPostgresDefiners, tables, name); err != nil {
		return err
	}
	type number struct{ N int64 }
	views, err := collect[number](ctx, db, sqlPostgresReadableViews, name)
	if err != nil {
		return err
	}
	c.Role.CanReadViews = map[int64]bool{}
	for _, v := range views {
		c.Role.CanReadViews[v.N] = true
	}
	weak, err := collect[number](ctx, db, sqlPostgresRoleDurability, name)
	c.Role.WeakDurability = err == nil && len(weak) == 1 && weak[0].N > 0
	return err
}

// Owns reports whether the role owns the table, itself or through a role that it is in.
func (r *Role) Owns(t *Table) bool {
	for _, x := range r.Tables {
		if x.Table == t.ID && x.Owns {
			return true
		}
	}
	return false
}
