package livedb

import "context"

// Index is an index, with or without a constraint of its name.
type Index struct {
	Table   int64
	ID      int64
	Parent  int64 // the index of the partitioned table that it is a part of, or 0
	Name    string
	Columns []string // of the key; "" stands for an expression

	Unique, Primary bool
	Partial         bool
	Exclusion       bool // also WITHOUT OVERLAPS, which no upsert can use
	Deferrable      bool
	Valid           bool // of all rows
	Ready           bool // new rows have to satisfy it

	Constraint     string // "" if it is only an index
	ConstraintType string // as in pg_constraint: p, u, x or ""
}

const sqlPostgresIndexes = `
select i.indrelid::int8, i.indexrelid::int8, coalesce(h.inhparent::int8, 0), ic.relname::text,
	array(
		select coalesce(a.attname::text, '')
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where k.ord <= i.indnkeyatts order by k.ord),
	i.indisunique, i.indisprimary, i.indpred is not null, i.indisexclusion, not i.indimmediate, i.indisvalid, i.indisready,
	coalesce(con.conname::text, ''), coalesce(con.contype::text, '')
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
left join pg_catalog.pg_inherits h on h.inhrelid = i.indexrelid
left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.conrelid = i.indrelid and con.contype in ('p', 'u', 'x')
where i.indrelid::int8 = any ($1::int8[]) and i.indislive
order by i.indrelid, ic.relname`

// A hash-sharded index begins with a column of its own and serves the following
// columns nevertheless. Older versions report neither how many columns belong to the
// key, if there are no others, nor the predicate of a partial index. A unique index is
// listed as a constraint, in some versions not always.
const sqlCockroachIndexes = `
select i.indrelid::int8, i.indexrelid::int8, 0::int8, ic.relname::text,
	array(
		select case when a.attname like 'crdb_internal_idx_expr%' then '' else coalesce(a.attname::text, '') end
		from unnest(i.indkey::int2[]) with ordinality as k (num, ord)
		left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
		where k.ord <= coalesce(i.indnkeyatts, 32767) and (a.attname is null or a.attname not like 'crdb_internal_%_shard_%') order by k.ord),
	i.indisunique, i.indisprimary, i.indpred is not null or pg_get_indexdef(i.indexrelid) like '% WHERE %',
	false, false, i.indisvalid, true,
	coalesce(con.conname::text, ''), coalesce(con.contype::text, '')
from pg_catalog.pg_index i
join pg_catalog.pg_class ic on ic.oid = i.indexrelid
left join pg_catalog.pg_constraint con on con.conrelid = i.indrelid and con.conname = ic.relname and con.contype in ('p', 'u')
where i.indrelid::int8 = any ($1::int8[])
order by i.indrelid, ic.relname`

func (s *Schema) readIndexes(ctx context.Context, db Querier, tables []int64) error {
	indexes, err := collect[Index](ctx, db, s.on(sqlPostgresIndexes, sqlCockroachIndexes), tables)
	for _, i := range indexes {
		t := s.byID[i.Table]
		t.Indexes = append(t.Indexes, i)
	}
	return err
}
