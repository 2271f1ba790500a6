package txn_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A pool that finds the primary again after a failover: it names all hosts and requires
// one that accepts writes, and pgx closes a connection that no longer does.
func Example_failover() {
	config, err := pgxpool.ParseConfig("postgres://app@db1,db2/bank?target_session_attrs=read-write")
	if err != nil {
		log.Fatal(err)
	}
	config.ConnConfig.OnPgError = func(_ *pgconn.PgConn, err *pgconn.PgError) bool {
		return err.Code != "25006" && err.Severity != "FATAL" && err.Severity != "PANIC"
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config) // which connects when it is used
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	fmt.Println(len(pool.Config().ConnConfig.Fallbacks) > 0)
	// Output: true
}
