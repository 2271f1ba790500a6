package catalog

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The statements use what version 21.1 has. It is slow at functions that return a
// definition, which make a query for each call, and at subqueries for each row. So
// definitions are read from tables, which later versions have too, and the names of
// columns are found in Go.

// CockroachDB has no partitions that are tables, no extensions and no foreign tables.
const sqlCockroachTables = `
select c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, coalesce(d.description, ''),
	coalesce(r.rolname::text, ''), (-1)::float8, false, false, false, ''
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_roles r on r.oid = c.relowner
left join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_extension')
	and n.nspname not like 'pg_temp%'
	and (array_length($1::text[], 1) is null or n.nspname = any ($1::text[]))
order by n.nspname, c.relname`

// A column that is the key of a table without one is hidden. For columns of its own, see
// readColumns.
const sqlCockroachColumns = `
select a.attrelid::int8, a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, -1),
	coalesce(t.typtype = 'e', false), coalesce(com.description, ''), a.attnotnull, false, false,
	a.atthasdef and a.attgenerated = '', case when a.attgenerated = '' then coalesce(pg_get_expr(d.adbin, d.adrelid), '') else '' end,
	coalesce(a.attidentity, '') <> '', a.attgenerated <> '', coalesce(h.is_hidden = 'YES', false)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_description com on com.objoid = a.attrelid and com.objsubid = a.attnum
left join information_schema.columns h
	on h.table_schema = n.nspname and h.table_name = c.relname and h.column_name = a.attname
where a.attrelid::int8 = any ($1::int8[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`

// An index that is not valid is being built.
const sqlCockroachIndexes = `
select i.indrelid::int8, x.indexname::text,
	i.indkey::int2[], coalesce(i.indnkeyatts, 32767),
	x.indexdef, i.indisunique, i.indisprimary, coalesce(i.indpred, ''), false, false, i.indisvalid, not i.indisvalid,
	case when con.conname is null then '' else con.conname::text end
from pg_catalog.pg_index i
join pg_catalog.pg_indexes x on x.crdb_oid = i.indexrelid
left join pg_catalog.pg_constraint con on con.conrelid = i.indrelid and con.conname = x.indexname and con.contype in ('p', 'u')
where i.indrelid::int8 = any ($1::int8[])
order by i.indrelid, x.indexname`

// It has checks of its own for hash-sharded indexes.
const sqlCockroachConstraints = `
select con.contype::text, coalesce(con.condef, ''), con.conrelid::int8, con.conname::text,
	coalesce(con.conkey, array[]::int2[]), coalesce(con.confrelid::int8, 0), coalesce(con.confkey, array[]::int2[]),
	coalesce(con.confdeltype::text, ''), con.convalidated, true
from pg_catalog.pg_constraint con
where con.contype in ('c', 'f') and con.conrelid::int8 = any ($1::int8[])
	and con.conname not like 'check_crdb_internal_%'
order by con.conrelid, con.conname, con.oid`

const sqlCockroachViews = `
select v.oid::int8, n.nspname::text, v.relname::text, coalesce(d.description, ''), v.relkind = 'm',
	coalesce(r.rolname::text, ''), false, false, array[]::text[], array[]::int8[]
from pg_catalog.pg_class v
join pg_catalog.pg_namespace n on n.oid = v.relnamespace
left join pg_catalog.pg_roles r on r.oid = v.relowner
left join pg_catalog.pg_description d on d.objoid = v.oid and d.objsubid = 0
where v.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'crdb_internal', 'pg_extension')
	and n.nspname not like 'pg_temp%'
	and (array_length($1::text[], 1) is null or n.nspname = any ($1::text[]))
order by n.nspname, v.relname`

// Which column owns a sequence is not in the catalog of version 21.1. Defaults tell it.
const sqlCockroachSequences = `
select s.seqrelid::int8, n.nspname::text, c.relname::text, format_type(s.seqtypid, -1),
	s.seqmax, s.seqincrement, 0::int8, s.seqcycle, 0::int8, ''
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where (array_length($1::text[], 1) is null or n.nspname = any ($1::text[]))
order by n.nspname, c.relname`

func (c *Catalog) readSequences(ctx context.Context, db DB, schemas []string) (err error) {
	c.Sequences, err = collect[Sequence](ctx, db, c.on(sqlPostgresSequences, sqlCockroachSequences), list(schemas))
	if err == nil && c.Cockroach() {
		err = c.readLastValues(ctx, db)
	}
	if err == nil {
		c.assignSequences()
	}
	return err
}

// readLastValues asks each sequence, in one query: no table has its last value in
// version 21.1. A sequence is selected from like a table, so its name is part of the
// statement, quoted.
func (c *Catalog) readLastValues(ctx context.Context, db DB) error {
	if len(c.Sequences) == 0 {
		return nil
	}
	parts := make([]string, len(c.Sequences))
	for i, s := range c.Sequences {
		parts[i] = "select last_value::int8 from " + pgx.Identifier{s.Schema, s.Name}.Sanitize()
	}
	rows, err := db.Query(ctx, strings.Join(parts, " union all "))
	if err != nil {
		return err
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(values) != len(parts) {
		return err
	}
	for i, s := range c.Sequences {
		s.Last = values[i]
	}
	return nil
}

// assignSequences finds the columns that take their default from a sequence that belongs
// to no column yet.
func (c *Catalog) assignSequences() {
	for _, s := range c.Sequences {
		for _, t := range c.Tables {
			for _, column := range t.Columns {
				if s.Table == 0 && takesFrom(column.Default, t.Schema, s) {
					s.Table, s.Column = t.ID, column.Name
				}
			}
		}
	}
}

// takesFrom reports whether a default is nextval of the sequence. Its name may be
// written without its schema, or with its database too.
func takesFrom(expression, schema string, s *Sequence) bool {
	_, rest, ok := strings.Cut(expression, "nextval('")
	if !ok {
		return false
	}
	name, _, _ := strings.Cut(rest, "'")
	name = strings.ReplaceAll(name, `"`, "")
	return name == s.String() || strings.HasSuffix(name, "."+s.String()) || name == s.Name && schema == s.Schema
}
