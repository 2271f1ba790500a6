package rkv08

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5/pgxpool"
)

func badConcat(db *sql.DB, name string) error {
	_, err := db.Exec("delete from users where name = '" + name + "'") // want `RKV08 sql-value: a string is put into the SQL between quotes`
	return err
}

func badSprintf(ctx context.Context, pool *pgxpool.Pool, name string) error {
	_, err := pool.Exec(ctx, fmt.Sprintf("update users set name = '%s' where id = %d", name, 5)) // want `RKV08`
	return err
}

func badRequest(db *sql.DB, w http.ResponseWriter, r *http.Request) {
	db.Query("select * from users order by " + r.FormValue("sort")) // want `RKV08 sql-value: a value of the request`
}

func badGin(db *sql.DB, c *gin.Context) {
	id := c.Param("id")
	db.Query("select * from users where id = " + id) // want `RKV08 sql-value: a value of the request`
}

func badBranch(db *sql.DB, name string) error {
	query := "select * from users where true"
	if name != "" {
		query += " and name like '%" + name + "%'"
	}
	_, err := db.Query(query + " order by id") // want `RKV08`
	return err
}

func badQuotedByGo(db *sql.DB, name string) error {
	_, err := db.Query(fmt.Sprintf("select * from users where name = %q", name)) // want `RKV08 sql-value: %q does not quote for SQL`
	return err
}
