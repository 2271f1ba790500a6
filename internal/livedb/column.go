package livedb

import "context"

// Column is a column of a table or a view.
type Column struct {
	Table    int64
	Name     string
	Type     int64  // the OID of its type, or of the base type of a domain
	TypeName string // of that type, without a length

	NotNull       bool   // by itself; see RefusesNull
	NotValid      bool   // its NOT NULL holds for new rows only
	Domain        string // "" for other types
	DomainNotNull bool

	HasDefault bool
	Default    string // an SQL expression, of the column or of its domain
	Identity   string // as in pg_attribute: a (always), d (by default) or ""
	Generated  bool
	Virtual    bool // generated when it is read
}

// A column of a domain is sent and received as one of the base type. Type modifier -1
// names a type without a length, which a cast would truncate values to.
const sqlPostgresColumns = `
select a.attrelid::int8, a.attname::text, base.oid::int8, pg_catalog.format_type(base.oid, -1),
	a.attnotnull,
	not base.not_null and exists (
		select from pg_catalog.pg_constraint k
		where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated),
	case typ.typtype when 'd' then typ.typname::text else '' end, base.not_null,
	a.atthasdef or typ.typdefault is not null,
	coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), typ.typdefault, ''),
	a.attidentity::text, a.attgenerated <> '', a.attgenerated = 'v'
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

// CockroachDB has no domains. It has columns of its own for hash-sharded indexes and for
// expressions in an index.
const sqlCockroachColumns = `
select a.attrelid::int8, a.attname::text, a.atttypid::int8, format_type(a.atttypid, -1),
	a.attnotnull, false, '', false,
	a.atthasdef, coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
	a.attidentity::text, a.attgenerated <> '', a.attgenerated = 'v'
from pg_catalog.pg_attribute a
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid::int8 = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped
	and a.attname not like 'crdb_internal_%'
order by a.attrelid, a.attnum`

func (s *Schema) readColumns(ctx context.Context, db Querier, tables []int64) error {
	columns, err := collect[Column](ctx, db, s.on(sqlPostgresColumns, sqlCockroachColumns), tables)
	for _, c := range columns {
		t := s.byID[c.Table]
		t.Columns = append(t.Columns, c)
	}
	return err
}

// RefusesNull reports whether the column or its domain is NOT NULL.
func (c *Column) RefusesNull() bool { return c.NotNull || c.DomainNotNull }
