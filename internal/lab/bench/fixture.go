package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// fixture is a database to measure on: a schema of its own, reached directly or through
// a proxy that counts and delays round trips.
type fixture struct {
	url    string
	admin  *pgx.Conn
	proxy  *faultnet.Proxy
	direct *pgx.ConnConfig
	schema string
	opened int64 // accounts are numbered up to here
}

func newFixture(ctx context.Context, url string) (_ *fixture, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	b := &fixture{url: url, direct: config, schema: "bench_" + strings.ToLower(rand.Text()[:12])}
	config.RuntimeParams["search_path"] = b.schema
	if b.admin, err = pgx.ConnectConfig(ctx, config.Copy()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close(ctx))
		}
	}()
	if b.proxy, err = faultnet.New(pgconn.NetworkAddress(config.Host, config.Port)); err != nil {
		return nil, err
	}
	for _, sql := range []string{"create schema " + b.quoted(), schema} {
		if _, err := b.admin.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("make a schema to measure in: %w", err)
		}
	}
	return b, nil
}

func (b *fixture) quoted() string { return pgx.Identifier{b.schema}.Sanitize() }

// proxied returns the configuration of a connection through the proxy.
func (b *fixture) proxied() *pgx.ConnConfig {
	config := b.direct.Copy()
	b.proxy.Rewrite(config)
	return config
}

// close drops the schema, also when ctx is done.
func (b *fixture) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, err := b.admin.Exec(ctx, "drop schema if exists "+b.quoted()+" cascade")
	err = errors.Join(err, b.admin.Close(ctx))
	if b.proxy != nil {
		b.proxy.Close()
	}
	return err
}
