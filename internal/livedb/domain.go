package livedb

import "context"

// DomainCheck is a check of a domain.
type DomainCheck struct {
	ID     int64
	Domain string
	Name   string
}

// The domains of the schemas, and those that the tables use, without those of
// extensions.
const sqlPostgresDomainChecks = `
select con.oid::int8, t.typname::text, con.conname::text
from pg_catalog.pg_constraint con
join pg_catalog.pg_type t on t.oid = con.contypid
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where con.contype = 'c'
	and (n.nspname = any ($1::text[]) or exists (
		select from pg_catalog.pg_attribute a
		where a.attrelid::int8 = any ($2::int8[]) and a.atttypid = t.oid and not a.attisdropped))
	and not exists (
		select from pg_catalog.pg_depend d
		where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
order by 2, 3, 1`

// ReadDomainChecks reads the checks of domains that are in the search_path or that a
// table uses. CockroachDB has none.
func (s *Schema) ReadDomainChecks(ctx context.Context, db Querier) (err error) {
	if s.Cockroach {
		return nil
	}
	s.DomainChecks, err = collect[DomainCheck](ctx, db, sqlPostgresDomainChecks, s.SearchPath, s.ids((*Table).IsOrdinary))
	return err
}
