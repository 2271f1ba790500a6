package ownertest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type Note struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID UserID `db:"user_id" owner:"owner"`
	Text   string `db:"text"`
	About  *int64 `db:"about"`
}

// makeNotes makes Alice's 1 and 2 and Bob's 3 and 4, in the table.
func makeNotes(table string) func(context.Context, pgx.Tx, owner.Scope[UserID]) error {
	return func(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
		first := 1
		if who == other {
			first = 3
		}
		for id := first; id < first+2; id++ {
			_, err := tx.Exec(ctx, fmt.Sprintf("insert into %s (id, user_id, text, about) values (%d, %d, 'note %d', %d)", table, id, who.Owner(), id, id))
			if err != nil {
				return err
			}
		}
		return nil
	}
}

const notesDDL = "create table notes (id int8 primary key, user_id int8 not null, text text not null, about int8%s)"

// A database that does not do what the declaration says.
func TestABrokenDatabaseIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		ddl, table, seeded string
		class, operation   string
		detail             string
	}{
		"a unique constraint of one column": {
			ddl:   fmt.Sprintf(notesDDL, ", constraint notes_text_key unique (text)"),
			class: tellsByUnique, operation: "Update of text to the stranger's", detail: "notes_text_key",
		},
		"a unique constraint of two columns": {
			ddl:   fmt.Sprintf(notesDDL, ", constraint notes_both_key unique (text, about)"),
			class: tellsByUnique, operation: "Update of all columns of notes_both_key to the stranger's", detail: "notes_both_key",
		},
		"a unique index": {
			ddl:   fmt.Sprintf(notesDDL, "") + "; create unique index notes_index on notes (about)",
			class: tellsByUnique, operation: "InsertMany with its values and a new key", detail: "notes_index",
		},
		"a foreign key that is not declared": {
			ddl:   fmt.Sprintf(notesDDL, " references notes (id)"),
			class: tellsByReference, operation: "Update of about to the stranger's",
		},
		"a view that shows a row to others too": {
			ddl:   fmt.Sprintf(notesDDL, "") + "; create view board as select id, user_id, text, about from notes union all select id, 42, text, about from notes where user_id = 43 and id = 3",
			table: "board", class: seen, operation: "Get by its key",
		},
		"a view that counts others' rows": {
			ddl:   fmt.Sprintf(notesDDL, "") + "; create view board as select id, user_id, text, (select count(*) from notes) as about from notes",
			table: "board", class: counted, operation: "max of about",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				ownerkit.MustExec(t, db, c.ddl)
				table := "notes"
				if c.table != "" {
					table = c.table
				}
				r := mustCheck(t, db, makeNotes("notes"), Table(owner.MustTable[Note, UserID](table), PrimaryKey))
				requireFinding(t, r, c.class, c.operation)
				require.Contains(t, strings.Join(report(r.findings), "\n"), c.detail)
			})
		})
	}
}

// The primary key is reported, unless that was declared acceptable.
func TestThePrimaryKeyTells(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, fmt.Sprintf(notesDDL, ", constraint notes_text_key unique (text)"))
		notes := owner.MustTable[Note, UserID]("notes", owner.Unique(func(n *Note) any { return &n.ID }))
		r := mustCheck(t, db, makeNotes("notes"), Table(notes, "notes_text_key"))
		for _, f := range r.findings {
			require.Equal(t, tellsByUnique, f.class)
			require.NotContains(t, f.detail, "notes_text_key")
		}
		requireFinding(t, r, tellsByUnique, "Insert with its key")
		requireFinding(t, r, tellsByUnique, "Upsert with its key")
		require.Contains(t, strings.Join(report(r.findings), "\n"), "give its name, or ownertest.PrimaryKey, to ownertest.Table as another argument")
		r = mustCheck(t, db, makeNotes("notes"), Table(notes, PrimaryKey, "notes_text_key"))
		require.Empty(t, report(r.findings))
	})
}

// Deleting an own row must not delete rows of others that point at it.
func TestACascadeIsFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, fmt.Sprintf(notesDDL, " references notes (id) on delete cascade"))
		seed := func(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
			if err := makeNotes("notes")(ctx, tx, who); err != nil || who == me {
				return err
			}
			_, err := tx.Exec(ctx, "update notes set about = 1 where user_id = 43")
			return err
		}
		r := mustCheck(t, db, seed, Table(owner.MustTable[Note, UserID]("notes"), PrimaryKey))
		requireFinding(t, r, changed, "Delete by its key, but one's own")
	})
}

// An owner column that does not hold the owner.
func TestALyingOwnerIsFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, fmt.Sprintf(notesDDL, "")+"; create view board as select id, 42 as user_id, text, about from notes")
		_, err := check(t.Context(), db, me, other, makeNotes("notes"), []Subject[UserID]{Table(owner.MustTable[Note, UserID]("board"))})
		require.ErrorContains(t, err, "no rows of the stranger's after seed")
	})
}

// A cursor that is accepted is a finding, even if no rows follow it.
func TestWhatMustBeRefused(t *testing.T) {
	t.Parallel()
	a := attack{subject: "s", probe: probe{name: "p", refused: true}}
	f, bad := a.judge(outcome{}, outcome{})
	require.True(t, bad)
	require.Equal(t, notRefused, f.class)
	_, bad = a.judge(outcome{err: owner.ErrCursor}, outcome{err: owner.ErrCursor})
	require.False(t, bad)
	f, bad = a.judge(outcome{err: owner.ErrCursor}, outcome{err: fmt.Errorf("%w", owner.ErrCursor)})
	require.True(t, bad, "another type, with the same text")
	require.Equal(t, distinguishable, f.class)
}

type member = owner.Member[int32, UserID]

func TestMembersOfATenant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, ownerkit.DraftsDDL)
		drafts := owner.MustTable[ownerkit.Draft[UserID], member]("drafts")
		a := ownerkit.Scope(member{Tenant: 7, User: alice})
		for _, b := range []owner.Scope[member]{ownerkit.Scope(member{Tenant: 7, User: bob}), ownerkit.Scope(member{Tenant: 8, User: alice})} {
			r, err := check(t.Context(), db, a, b, nil, []Subject[member]{Table(drafts)})
			require.NoError(t, err)
			for _, f := range r.findings { // within a tenant, the key tells
				require.Equal(t, tellsByUnique, f.class)
				require.EqualValues(t, 7, b.Owner().Tenant)
			}
			require.Equal(t, b.Owner().Tenant == 7, len(r.findings) > 0)
		}
	})
}
