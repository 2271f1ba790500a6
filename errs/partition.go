package errs

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// WithPartitions returns a copy of the catalog in which a rule of a partitioned table
// also holds for its partitions, including those made later. Without it each
// partition needs rules of its own, because PostgreSQL names the partition and its
// constraint in a violation.
//
// If a violation has no rule, [Catalog.Translate] asks the database for the parents
// of the partition, once a minute for each constraint and for at most a second. If it
// gets no answer, the violation has no rule. A rule for the partition itself comes
// first. Tables that inherit otherwise count as partitions. CockroachDB has no
// partitions that are tables, and is not asked.
//
// Use a *pgxpool.Pool as db, because the question needs a connection beside the
// caller's. If db is nil, the catalog behaves as without WithPartitions.
func (c *Catalog) WithPartitions(db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}) *Catalog {
	copied := c.clone()
	copied.partitions = nil
	if db != nil && !isNil(db) {
		copied.partitions = &partitions{db: db, wait: partitionsWait, known: map[partOf]lineage{}}
	}
	return copied
}

const (
	partitionsWait   = time.Second
	partitionsFresh  = time.Minute
	partitionsRetry  = 10 * time.Second // after an error
	partitionsAtMost = 10_000           // when it forgets, so that dropped ones take no room
)

// partitions caches the parents of partitions.
type partitions struct {
	db interface {
		Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	}
	wait  time.Duration // for an answer
	mu    sync.Mutex
	known map[partOf]lineage
}

// partOf identifies the subject of a violation: the constraint, or the column of a
// NOT NULL.
type partOf struct{ schema, table, name string }

// lineage holds the parents of a partOf, the nearest first.
type lineage struct {
	parents []parent
	until   time.Time
}

type parent struct{ Table, Name string }

func (p *partitions) of(pe *pgconn.PgError, name string) []parent {
	if p == nil || pe.SchemaName == "" || pe.TableName == "" || name == "" {
		return nil
	}
	key := partOf{pe.SchemaName, pe.TableName, name}
	now := time.Now()
	p.mu.Lock()
	l, ok := p.known[key]
	p.mu.Unlock()
	if ok && now.Before(l.until) {
		return l.parents
	}
	parents, err := p.ask(key)
	l = lineage{parents, now.Add(partitionsFresh)}
	if err != nil {
		l = lineage{nil, time.Now().Add(partitionsRetry)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= partitionsAtMost {
		clear(p.known)
	}
	p.known[key] = l
	return l.parents
}

func (p *partitions) ask(key partOf) ([]parent, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.wait)
	defer cancel()
	rows, err := p.db.Query(ctx, sqlParents, key.schema, key.table, key.name)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[parent])
}

// sqlParents follows the tables, for names that are the same in all of them; the
// indexes, of which each has a name of its own; and the foreign keys, likewise.
const sqlParents = `
with recursive tables (depth, oid) as (
	select 0, c.oid
	from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
	where n.nspname = $1::text and c.relname = $2::text
	union all
	select depth + 1, i.inhparent from tables join pg_catalog.pg_inherits i on i.inhrelid = oid
), indexes (depth, oid) as (
	select 0, c.oid
	from tables join pg_catalog.pg_index x on x.indrelid = tables.oid join pg_catalog.pg_class c on c.oid = x.indexrelid
	where depth = 0 and c.relname = $3::text
	union all
	select depth + 1, i.inhparent from indexes join pg_catalog.pg_inherits i on i.inhrelid = oid
), keys (depth, oid, up) as (
	select 0, f.oid, f.conparentid
	from tables join pg_catalog.pg_constraint f on f.conrelid = tables.oid
	where depth = 0 and f.contype = 'f' and f.conname = $3::text
	union all
	select depth + 1, f.oid, f.conparentid from keys join pg_catalog.pg_constraint f on f.oid = up
)
select tab, name from (
	select depth, c.relname::text as tab, $3::text as name from tables join pg_catalog.pg_class c on c.oid = tables.oid
	union all
	select depth, t.relname::text, c.relname::text
	from indexes join pg_catalog.pg_index x on x.indexrelid = indexes.oid
	join pg_catalog.pg_class c on c.oid = x.indexrelid join pg_catalog.pg_class t on t.oid = x.indrelid
	union all
	select depth, t.relname::text, f.conname::text
	from keys join pg_catalog.pg_constraint f on f.oid = keys.oid join pg_catalog.pg_class t on t.oid = f.conrelid
) as parents
where depth > 0
order by depth, tab, name`

// inherited finds the rule of the nearest parent of the constraint that pe names.
func (c *Catalog) inherited(pe *pgconn.PgError) *Rule {
	for _, p := range c.partitions.of(pe, pe.ConstraintName) {
		if r := pick(c.constraints[p.Name], p.Table); r != nil {
			return r
		}
	}
	return nil
}

// inheritedNotNull is like inherited, for the column of a NOT NULL.
func (c *Catalog) inheritedNotNull(pe *pgconn.PgError, column string) *Rule {
	if len(c.columns[column]) == 0 {
		return nil
	}
	for _, p := range c.partitions.of(pe, column) {
		if r := pick(c.columns[column], p.Table); r != nil && p.Name == column {
			return r
		}
	}
	return nil
}
