package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// library is one way of running a transaction.
type library struct {
	key     string // its name in benchmarks and in JSON
	name    string // its name in tables
	connect func(ctx context.Context, config *pgx.ConnConfig) (*client, error)
	lacks   map[body]string // the bodies that it cannot run, and why
}

// libraries has Rowkeeper's ways, then those to compare with.
var libraries = []library{
	rowkeeperUnchanged, rowkeeperQueue, rowkeeperBatch,
	pgxBeginFunc, pgxBatchBegin, cockroachGo, databaseSQL, gormTransaction, gormPrepared,
}

// The libraries that all others are compared with.
const (
	baseCockroachGo = "cockroach-go"
	basePgx         = "pgx"
)

// client is a library on a pool of one connection.
type client struct {
	library
	run   [bodies]transaction // nil if the library lacks it
	close func()
}

// connectAll connects every library, and runs every body until statements are
// prepared and PostgreSQL has chosen its plans, which takes five executions.
func connectAll(ctx context.Context, b *fixture, config *pgx.ConnConfig) (_ clients, err error) {
	const warmUp = 8
	var cs clients
	defer func() {
		if err != nil {
			cs.close()
		}
	}()
	a, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	done := 0
	for _, l := range libraries {
		c, err := l.connect(ctx, config.Copy())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
		c.library = l
		cs = append(cs, c)
		for i, run := range c.run {
			if run == nil {
				continue
			}
			for range warmUp {
				if err := run(ctx, a.id); err != nil {
					return nil, c.failed(body(i), err)
				}
				done++
			}
		}
	}
	return cs, b.check(ctx, a, done)
}

func (c *client) failed(which body, err error) error {
	return fmt.Errorf("%s, %s: %w", c.name, which, err)
}

type clients []*client

func (cs clients) close() {
	for _, c := range cs {
		c.close()
	}
}

// newPool returns a pool of one connection. pgxpool pings a connection that was
// idle for a second. A busy service hardly notices that, but here it would slow the
// library that is measured after a slow turn of the others.
func newPool(ctx context.Context, config *pgx.ConnConfig) (*pgxpool.Pool, error) {
	pool, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	pool.ConnConfig = config
	pool.MaxConns = 1
	pool.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	return pgxpool.NewWithConfig(ctx, pool)
}

// newDB is newPool for database/sql.
func newDB(config *pgx.ConnConfig) *sql.DB {
	db := stdlib.OpenDB(*config, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
	db.SetMaxOpenConns(1)
	return db
}

// onPool returns the connect function of a library that works on a pgxpool.Pool.
func onPool(bind func(pool *pgxpool.Pool) [bodies]transaction) func(context.Context, *pgx.ConnConfig) (*client, error) {
	return func(ctx context.Context, config *pgx.ConnConfig) (*client, error) {
		pool, err := newPool(ctx, config)
		if err != nil {
			return nil, err
		}
		return &client{run: bind(pool), close: pool.Close}, nil
	}
}
