// Command consumer uses the three packages as a service does.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
)

var catalog = errs.NewCatalog(
	errs.Constraint("accounts_name_key").Code("name_taken").Field("/name").Message("There is an account of this name."),
)

var errNoDatabase = errors.New("there is no database")

// absent is a database that cannot be reached.
type absent struct{}

func (absent) Begin(context.Context) (pgx.Tx, error) { return nil, errNoDatabase }

func (absent) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return nil, errNoDatabase }

func main() {
	if _, err := owner.For(int64(0)); !errors.Is(err, owner.ErrUnscoped) {
		log.Fatal(err)
	}
	err := txn.Run(context.Background(), absent{}, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set name = $1 where id = $2", "savings", 1)
		return err
	})
	if !errors.Is(err, errNoDatabase) {
		log.Fatal(err)
	}
	fmt.Println(catalog.Translate(err))
}
