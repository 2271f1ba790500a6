package livedb

import (
	"context"
	"slices"
)

// Table is a table or a view.
type Table struct {
	ID           int64
	Parents      []int64 // the tables among those read that it is a partition of or inherits from, in order
	Schema, Name string
	Kind         string // as in pg_class: r, p (partitioned), f (foreign), v (view) or m (materialized view)
	Comment      string

	RowSecurity, Forced bool // row-level security is on, and holds for the table's owner too
	Owned, Truncates    bool // the role of the connection can do what its owner can, and can TRUNCATE it
	Invoker             bool // of a view: it reads with the rights of whoever reads it

	Columns     []*Column     `db:"-"` // in their order
	Indexes     []*Index      `db:"-"` // by name
	Constraints []*Constraint `db:"-"` // by name, without those that have an index
	Policies    []*Policy     `db:"-"` // by name; of Schema.ReadRowSecurity
}

// The tables and views of the schemas, and tables of any schema that inherit from
// them. Tables of extensions are not the application's to declare. A privilege is NULL
// if the table was dropped meanwhile.
const sqlPostgresTables = `
with recursive tables (oid, parent) as (
	select c.oid, null::oid
	from pg_catalog.pg_class c
	join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname = any ($1::text[]) and c.relkind in ('r', 'p', 'f', 'v', 'm')
	union
	select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i join tables on tables.oid = i.inhparent
)
select c.oid::int8,
	coalesce(array_agg(tables.parent::int8 order by tables.parent) filter (where tables.parent is not null), '{}'),
	n.nspname::text, c.relname::text, c.relkind::text, coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
	c.relrowsecurity, c.relforcerowsecurity,
	coalesce(pg_catalog.pg_has_role(c.relowner, 'usage'), false),
	coalesce(pg_catalog.has_table_privilege(c.oid, 'truncate'), false),
	coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions), false)
from tables
join pg_catalog.pg_class c on c.oid = tables.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not exists (
	select from pg_catalog.pg_depend d
	where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
group by c.oid, n.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.reloptions
order by n.nspname, c.relname`

// CockroachDB has neither inheritance nor partitions that are tables, nor extensions
// and foreign tables. Its row-level security is not used.
const sqlCockroachTables = `
select c.oid::int8, array[]::int8[], n.nspname::text, c.relname::text, c.relkind::text,
	coalesce(obj_description(c.oid), ''), false, false, false, false, false
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = any ($1::text[]) and c.relkind in ('r', 'v', 'm')
order by n.nspname, c.relname`

func (s *Schema) readTables(ctx context.Context, db Querier, schemas []string) (err error) {
	s.Tables, err = collect[Table](ctx, db, s.on(sqlPostgresTables, sqlCockroachTables), schemas)
	for _, t := range s.Tables {
		s.byID[t.ID] = t
	}
	return err
}

// IsView reports whether it is a view, materialized or not.
func (t *Table) IsView() bool { return t.Kind == "v" || t.Kind == "m" }

// IsOrdinary reports whether it is a table of this database, partitioned or not.
func (t *Table) IsOrdinary() bool { return t.Kind == "r" || t.Kind == "p" }

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	if i := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name }); i >= 0 {
		return t.Columns[i]
	}
	return nil
}
