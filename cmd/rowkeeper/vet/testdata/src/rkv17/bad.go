package rkv17

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
)

func badParam(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(context.Background(), "update a set x = 1") // want `RKV17 detached-ctx`
	return err
}

func badRequest(db *sql.DB, w http.ResponseWriter, r *http.Request) {
	db.QueryContext(context.TODO(), "select 1") // want `RKV17`
}

func badTimeout(db *sql.DB, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	db.ExecContext(ctx, "update a set x = 1") // want `RKV17`
}

func badBegin(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(context.Background()) // want `RKV17`
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	return tx.Commit(ctx)
}

func badGin(db *sql.DB, c *gin.Context) {
	db.ExecContext(context.Background(), "update a set x = 1") // want `RKV17`
}
