package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMembers(t *testing.T) {
	type draft = ownerkit.Draft[UserID]
	type ownerOf = owner.Member[int32, UserID]
	drafts := owner.MustTable[draft, ownerOf]("drafts")
	text := owner.Column(drafts, func(d *draft) *string { return &d.Text })
	all := owner.MustTable[whole, int32]("drafts")
	for _, m := range []ownerOf{{}, {Tenant: 1}, {User: 1}} {
		_, err := owner.For(m)
		require.ErrorIs(t, err, owner.ErrUnscoped)
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, ownerkit.DraftsDDL)
		scopes := []owner.Scope[ownerOf]{ownerkit.Scope(ownerOf{1, 42}), ownerkit.Scope(ownerOf{1, 43}), ownerkit.Scope(ownerOf{2, 42})}
		for i, s := range scopes {
			require.NoError(t, drafts.In(s).Insert(ctx, db, &draft{ID: int64(i + 1), Text: "x"}))
		}
		for i, s := range scopes {
			rows, err := drafts.In(s).Where(owner.Or(text.Eq("x"), owner.And[draft]())).All(ctx, db)
			require.NoError(t, err)
			require.Equal(t, []draft{{Tenant: s.Owner().Tenant, User: s.Owner().User, ID: int64(i + 1), Text: "x"}}, rows)
			for j := range scopes {
				err := drafts.In(s).Update(j+1).Set(text.Set("x")).Exec(ctx, db)
				require.Equal(t, i == j, err == nil)
			}
			require.ErrorIs(t, drafts.In(s).Insert(ctx, db, &draft{Tenant: 3, ID: 9}), owner.ErrOtherOwner)
		}
		ownerkit.RequireCount(t, db, 2, all.In(ownerkit.Scope(scopes[0].Owner().Tenant)).Count)
	})
}
