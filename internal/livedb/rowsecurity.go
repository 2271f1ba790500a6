package livedb

import "context"

// Policy is a policy of row-level security.
type Policy struct {
	Table        int64
	Name         string
	Command      string // as in pg_policy: r, a, w, d or * for all
	Permissive   bool
	ForAll       bool   // for all roles
	Using, Check string // SQL expressions, or ""
}

// View is a view that reads a table or another view.
type View struct {
	View, Of int64
	Bypasses bool // no policy holds for its owner
	Reads    bool // the role of the connection can read it
}

// Role is a role that the connection has, or gets by RESET ROLE.
type Role struct {
	Name          string
	Super, Bypass bool
}

const sqlPolicies = `
select p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive, p.polroles = '{0}',
	coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), ''),
	coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
from pg_catalog.pg_policy p
where p.polrelid::int8 = any ($1::int8[])
order by p.polrelid, p.polname`

const sqlViews = `
select distinct v.oid::int8, d.refobjid::int8, r.rolsuper or r.rolbypassrls,
	coalesce(pg_catalog.has_table_privilege(v.oid, 'select'), false)
from pg_catalog.pg_class v
join pg_catalog.pg_roles r on r.oid = v.relowner
join pg_catalog.pg_rewrite w on w.ev_class = v.oid
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid
	and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> v.oid
where v.relkind in ('v', 'm') and v.oid::int8 = any ($1::int8[]) and d.refobjid::int8 = any ($1::int8[])
order by 1, 2`

const sqlRoles = `
select rolname::text, rolsuper, rolbypassrls from pg_catalog.pg_roles
where rolname in (current_user, session_user) order by rolname <> current_user`

// ReadRowSecurity reads the policies of the tables, which views read them, and the roles
// of the connection, its current one first. On CockroachDB it reads nothing.
func (s *Schema) ReadRowSecurity(ctx context.Context, db Querier) error {
	if s.Cockroach {
		return nil
	}
	ids := s.ids(func(*Table) bool { return true })
	policies, err := collect[Policy](ctx, db, sqlPolicies, ids)
	if err != nil {
		return err
	}
	for _, p := range policies {
		t := s.byID[p.Table]
		t.Policies = append(t.Policies, p)
	}
	if s.Views, err = collect[View](ctx, db, sqlViews, ids); err != nil {
		return err
	}
	s.Roles, err = collect[Role](ctx, db, sqlRoles)
	return err
}
