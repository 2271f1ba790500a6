package main

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/ownertest"
)

// No operation on accounts and transfers reaches those of another user.
func TestOwnership(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		require.NoError(t, createSchema(t.Context(), db.Pool))
		alice, bob := bareUser(t, db, "alice"), bareUser(t, db, "bob")
		ownertest.Run(t, db, alice, bob, func(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
			var ids []ID
			for _, name := range []string{"everyday", "savings"} {
				a := Account{Name: name, Balance: 100}
				if err := accounts.In(who).Insert(ctx, tx, &a); err != nil {
					return err
				}
				ids = append(ids, a.ID)
			}
			return transfers.In(who).Insert(ctx, tx, &Transfer{From: ids[0], To: ids[1], Amount: 5})
		}, ownertest.Table(accounts), ownertest.Table(transfers))
	})
}

// bareUser creates a user without any accounts.
func bareUser(t *testing.T, db *dbtest.DB, name string) owner.Scope[UserID] {
	t.Helper()
	var id UserID
	err := db.QueryRow(t.Context(), "insert into users (name, token_hash) values ($1, $2) returning id", name, []byte(name)).Scan(&id)
	require.NoError(t, err)
	who, err := owner.For(id)
	require.NoError(t, err)
	return who
}
