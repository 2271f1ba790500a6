package core

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// DB runs statements. Its methods are those of owner.DB.
type DB interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// check performs the checks that all statements share.
func check(t *Table, id Identity, db DB) error {
	if err := checkScope(t, id); err != nil {
		return err
	}
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return Misuse("the database is nil")
	}
	return nil
}

func checkScope(t *Table, id Identity) error {
	switch {
	case t == nil:
		return Misuse("the table was not made by MustTable")
	case id.N == 0 && !t.Shared:
		return fmt.Errorf("%w: the scope was not made by owner.For (table %s)", ErrUnscoped, t.Name)
	}
	return t.Complete()
}
