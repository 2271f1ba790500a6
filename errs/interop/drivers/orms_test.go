package drivers

import (
	"cmp"
	"context"
	"database/sql"
	"testing"

	"github.com/go-pg/pg/v10"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/rowkeeper/rowkeeper/errs"
)

// GORM and go-pg have errors of their own for a missing row, with a rule each. Bun
// returns sql.ErrNoRows, which needs none. Leave GORM's TranslateError off: it would
// discard the name of the constraint.
var rulesOfORMs = []errs.Rule{
	errs.Is(gorm.ErrRecordNotFound).Kind(errs.NotFound).Code("not_found"),
	errs.Is(pg.ErrNoRows).Kind(errs.NotFound).Code("not_found"),
}

func init() {
	catalog = catalog.With(rulesOfORMs...)
	drivers["bun with pgdriver"] = openBun
	drivers["go-pg"] = openGoPG
	drivers["GORM"] = openGORM
}

// databaseOf returns the database of c, or CockroachDB's default, which other drivers do
// not know.
func databaseOf(c *pgconn.Config) string { return cmp.Or(c.Database, "defaultdb") }

type throughBun struct {
	t  *testing.T
	db *bun.DB
}

func openBun(t *testing.T, address string) conn {
	c, err := pgconn.ParseConfig(address)
	require.NoError(t, err)
	network, host := pgconn.NetworkAddress(c.Host, c.Port)
	db := bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithNetwork(network), pgdriver.WithAddr(host), pgdriver.WithUser(c.User),
		pgdriver.WithPassword(c.Password), pgdriver.WithDatabase(databaseOf(c)), pgdriver.WithInsecure(c.TLSConfig == nil))), pgdialect.New())
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.NewRaw("set search_path = ?", bun.Ident(c.RuntimeParams["search_path"])).Exec(t.Context())
	require.NoError(t, err)
	return throughBun{t, db}
}

func (b throughBun) exec(ctx context.Context, sql string) error {
	_, err := b.db.NewRaw(sql).Exec(ctx)
	return err
}

func (b throughBun) scan(ctx context.Context, sql string) error {
	var v int64
	return b.db.NewRaw(sql).Scan(ctx, &v)
}

func (b throughBun) commit(ctx context.Context, query string) error {
	return b.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		require.NoError(b.t, err)
		return nil
	})
}

type throughGoPG struct {
	t  *testing.T
	db *pg.DB
}

func openGoPG(t *testing.T, address string) conn {
	c, err := pgconn.ParseConfig(address)
	require.NoError(t, err)
	network, host := pgconn.NetworkAddress(c.Host, c.Port)
	db := pg.Connect(&pg.Options{
		Network: network, Addr: host, User: c.User, Password: c.Password, Database: databaseOf(c), TLSConfig: c.TLSConfig, PoolSize: 1,
		OnConnect: func(ctx context.Context, conn *pg.Conn) error {
			_, err := conn.ExecContext(ctx, "set search_path = ?", pg.Ident(c.RuntimeParams["search_path"]))
			return err
		},
	})
	t.Cleanup(func() { _ = db.Close() })
	return throughGoPG{t, db}
}

func (p throughGoPG) exec(ctx context.Context, sql string) error {
	_, err := p.db.ExecContext(ctx, sql)
	return err
}

func (p throughGoPG) scan(ctx context.Context, sql string) error {
	var v int64
	_, err := p.db.QueryOneContext(ctx, pg.Scan(&v), sql)
	return err
}

func (p throughGoPG) commit(ctx context.Context, sql string) error {
	return p.db.RunInTransaction(ctx, func(tx *pg.Tx) error {
		_, err := tx.ExecContext(ctx, sql)
		require.NoError(p.t, err)
		return nil
	})
}

type throughGORM struct {
	t  *testing.T
	db *gorm.DB
}

func openGORM(t *testing.T, url string) conn {
	db, err := gorm.Open(postgres.Open(url), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = pool.Close() })
	return throughGORM{t, db}
}

func (g throughGORM) exec(ctx context.Context, sql string) error {
	return g.db.WithContext(ctx).Exec(sql).Error
}

func (g throughGORM) scan(ctx context.Context, sql string) error {
	var row struct{ ID int64 }
	return g.db.WithContext(ctx).Raw(sql).Take(&row).Error
}

func (g throughGORM) commit(ctx context.Context, sql string) error {
	return g.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		require.NoError(g.t, tx.Exec(sql).Error)
		return nil
	})
}
