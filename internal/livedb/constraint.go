package livedb

import (
	"context"
	"slices"
)

// Constraint is a check or a foreign key, and on CockroachDB also a unique constraint
// without an index. Constraints with an index are an [Index].
type Constraint struct {
	Table   int64
	ID      int64
	Parent  int64  // the constraint of the partitioned or inherited table that it comes from, or 0
	Type    string // Check or ForeignKey; on CockroachDB also u
	Name    string
	Columns []string // CockroachDB does not say those of a unique constraint without an index

	Referenced     int64 // of a foreign key: the other table, and its columns
	ReferencedName string
	To             []string

	Validated bool
	Enforced  bool

	// Named reports whether the server may give this name for a violation. Foreign keys
	// of partitioned tables have a constraint for each side: Missing is for a row that
	// points at nothing, InUse for one that others point at and that cannot go.
	Named          bool
	Missing, InUse bool
}

// The types of constraints, as in pg_constraint.
const (
	Check      = "c"
	ForeignKey = "f"
)

// For a check PostgreSQL names the constraint as one of the partition. For a foreign key
// between partitioned tables it is a different constraint on either side: those that
// point are clones for each partition (conrelid differs from the parent's), those pointed
// at are others, for each partition of the referenced table (conrelid is the same).
//
// Enforcement, which version 18 may switch off, is read through JSON, because earlier
// versions have no such column.
const sqlPostgresConstraints = `
select con.conrelid::int8, con.oid::int8,
	coalesce(case con.contype when 'f' then con.conparentid::int8 else (
		select min(up.oid::int8)
		from pg_catalog.pg_inherits h
		join pg_catalog.pg_constraint up on up.conrelid = h.inhparent
		where h.inhrelid = con.conrelid and up.contype = 'c' and up.conname = con.conname and not up.connoinherit) end, 0),
	con.contype::text, con.conname::text,
	array(
		select a.attname::text from unnest(con.conkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num order by k.ord),
	con.confrelid::int8, coalesce(target.relname::text, ''),
	array(
		select a.attname::text from unnest(con.confkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.num order by k.ord),
	con.convalidated, pg_catalog.to_jsonb(con) ->> 'conenforced' is distinct from 'false',
	case con.contype when 'f' then side.missing or side.in_use else t.relkind = 'r' end,
	con.contype = 'f' and side.missing,
	con.contype = 'f' and side.in_use and con.confdeltype in ('a', 'r')
from pg_catalog.pg_constraint con
join pg_catalog.pg_class t on t.oid = con.conrelid
left join pg_catalog.pg_class target on target.oid = con.confrelid
left join pg_catalog.pg_constraint up on up.oid = con.conparentid
cross join lateral (select
	t.relkind = 'r' and up.conrelid is distinct from con.conrelid as missing,
	target.relkind = 'r' and (up.oid is null or up.conrelid = con.conrelid) as in_use) as side
where con.contype in ('c', 'f') and con.conrelid::int8 = any ($1::int8[])
order by con.conrelid, con.conname, con.oid`

// CockroachDB has checks of its own for hash-sharded indexes.
const sqlCockroachConstraints = `
select con.conrelid::int8, con.oid::int8, 0::int8, con.contype::text, con.conname::text,
	array(
		select a.attname::text from unnest(con.conkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.num order by k.ord),
	coalesce(con.confrelid::int8, 0), coalesce(target.relname::text, ''),
	array(
		select a.attname::text from unnest(con.confkey) with ordinality as k (num, ord)
		join pg_catalog.pg_attribute a on a.attrelid = con.confrelid and a.attnum = k.num order by k.ord),
	con.convalidated, true, true, con.contype = 'f', con.contype = 'f' and con.confdeltype in ('a', 'r')
from pg_catalog.pg_constraint con
left join pg_catalog.pg_class target on target.oid = con.confrelid
where con.contype in ('c', 'f', 'u') and con.conrelid::int8 = any ($1::int8[])
	and con.conname not like 'check_crdb_internal_%'
order by con.conrelid, con.conname, con.oid`

// readConstraints leaves out unique constraints that have an index.
func (s *Schema) readConstraints(ctx context.Context, db Querier, tables []int64) error {
	constraints, err := collect[Constraint](ctx, db, s.on(sqlPostgresConstraints, sqlCockroachConstraints), tables)
	for _, c := range constraints {
		t := s.byID[c.Table]
		if c.Type == Check || c.Type == ForeignKey ||
			!slices.ContainsFunc(t.Indexes, func(i *Index) bool { return i.Constraint == c.Name }) {
			t.Constraints = append(t.Constraints, c)
		}
	}
	return err
}
