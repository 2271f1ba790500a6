package schema_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

type (
	mood string

	diary struct {
		ID      int64     `db:"id" owner:"pk,default"`
		User    UserID    `db:"user_id" owner:"owner"`
		Name    string    `db:"name"`
		Note    string    `db:"note"`
		At      time.Time `db:"at"`
		Moods   []mood    `db:"moods"`
		Version int64     `db:"version" owner:"version"`
	}
	leaf struct {
		ID    int64  `db:"id" owner:"pk,default"`
		User  UserID `db:"user_id" owner:"owner"`
		Diary int64  `db:"diary_id"`
	}
)

var (
	diaries   = owner.MustTable[diary, UserID]("diaries", owner.Unique(func(d *diary) any { return &d.Name }))
	diaryName = owner.Column(diaries, func(d *diary) *string { return &d.Name })
	leaves    = owner.MustTable[leaf, UserID]("leaves", owner.References(diaries, func(l *leaf) any { return &l.Diary }))
)

const diaryDDL = `create type mood as enum ('glad', 'sad');
create sequence diary_ids;
create table diaries (id int8 default nextval('diary_ids'), user_id int8 not null, name text not null, note text not null, at timestamptz not null, moods text[] not null, version int8 not null,
	constraint diaries_key primary key (id), constraint diaries_name unique (user_id, name), constraint diaries_own unique (user_id, id));
create table leaves (id int8 primary key default nextval('diary_ids'), user_id int8 not null, diary_id int8 not null);
create index leaves_user on leaves (user_id);
`

const leavesKey = `alter table leaves add constraint leaves_diary foreign key (user_id, diary_id) references diaries (user_id, id);`

// Each of these was once not found, or its SQL failed.
func TestVerifyKinds(t *testing.T) {
	for name, tc := range map[string]struct {
		since  int // the major version of PostgreSQL
		change string
		crdb   string // instead, on CockroachDB; "-" where that cannot be
		want   schema.Finding
	}{
		"a virtual column": {18, `alter table diaries drop column note; alter table diaries add column note text not null generated always as ('x' || user_id) virtual;
			insert into diaries (user_id, name, at, moods, version) values (42, 'x', now(), '{}', 1)`,
			`insert into diaries (user_id, name, note, at, moods, version) values (42, 'x', '', now(), '{}', 1); alter table diaries drop column note; alter table diaries add column note text not null as ('x') virtual`,
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "note", Problem: "it is generated"}},
		"a foreign key not enforced": {18, strings.Replace(leavesKey, ";", " not enforced;", 1), "-",
			schema.Finding{Severity: schema.Exposed, Table: "leaves", Name: "leaves_diary", Problem: "NOT ENFORCED"}},
		"a NOT NULL not validated": {18, `alter table diaries alter column name drop not null; alter table diaries add constraint nn not null name not valid`, "-",
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "name", Problem: "NOT VALID"}},
		"an owner's NOT NULL not validated": {18, `alter table leaves alter column user_id drop not null; alter table leaves add constraint nn not null user_id not valid`, "-",
			schema.Finding{Severity: schema.Exposed, Table: "leaves", Name: "user_id", Problem: "can be NULL"}},
		"a deferrable primary key": {14, `alter table leaves drop constraint leaves_pkey, add constraint leaves_pkey primary key (id) deferrable`, "-",
			schema.Finding{Severity: schema.Broken, Table: "leaves", Name: "id", Problem: "the constraint leaves_pkey, which makes it unique, is DEFERRABLE"}},
		"a deferrable key of an upsert": {14, `alter table diaries drop constraint diaries_name, add constraint diaries_name unique (user_id, name) deferrable initially deferred`, "-",
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "user_id, name", Problem: "DEFERRABLE, so no upsert can use it"}},
		"an enum's array": {14, `alter table diaries drop column moods; alter table diaries add column moods mood[] not null`, "",
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "moods", Problem: "which pgx does not know by itself"}},
		"a time without zone": {14, `alter table diaries drop column at; alter table diaries add column at timestamp not null default '2026-07-01 12:00'; insert into diaries (user_id, name, note, moods, version) values (42, 'x', '', '{}', 1)`, "",
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "at", Problem: "not its zone"}},
		"versions from 0": {14, `insert into diaries (user_id, name, note, at, moods, version) values (42, 'x', '', now(), '{}', 1); alter table diaries drop column version; alter table diaries add column version int8 not null default 0`, "",
			schema.Finding{Severity: schema.Broken, Table: "diaries", Name: "version", Problem: "its default is 0"}},
		"no key that takes the owner along": {14, "", "",
			schema.Finding{Severity: schema.Exposed, Table: "leaves", Name: "diary_id", Problem: "takes the owner along"}},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				version := serverVersion(t, db)
				change := tc.change
				switch {
				case db.Cockroach() && tc.crdb == "-", version > 0 && version < tc.since:
					t.Skip("it has no such thing")
				case db.Cockroach() && tc.crdb != "":
					change = tc.crdb
				}
				sql := diaryDDL
				if tc.want.Severity == schema.Broken || tc.want.Name == "user_id" {
					sql += leavesKey
				}
				ownerkit.MustExec(t, db, sql)
				for part := range strings.SplitSeq(change, ";") {
					ownerkit.MustExec(t, db, part)
				}
				found := verified(t, db, diaries, leaves)
				require.Len(t, found, 1)
				f := matching(t, found, tc.want)
				mend(t, db, f)
				// CockroachDB continues to change a type after it has answered.
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					after, err := schema.Verify(t.Context(), db, diaries, leaves)
					require.NoError(c, err)
					require.Empty(c, after)
				}, 5*time.Minute, 20*time.Millisecond)
				d := diary{Name: "new", At: time.Now().In(time.FixedZone("", 2*3600)), Moods: []mood{"glad"}}
				require.NoError(t, diaries.In(me).Insert(t.Context(), db, &d))
				got, err := diaries.In(me).Get(t.Context(), db, d.ID)
				require.NoError(t, err)
				require.WithinDuration(t, d.At, got.At, time.Millisecond)
				require.Equal(t, []mood{"glad"}, got.Moods)
				all, err := diaries.In(me).All(t.Context(), db)
				require.NoError(t, err)
				for _, d := range all {
					require.NoError(t, diaries.In(me).Update(d.ID).At(d.Version).Set(diaryName.Set(strconv.FormatInt(d.ID, 10))).Exec(t.Context(), db))
				}
			})
		})
	}
}

// Connections that know the enum can send it.
func TestVerifyKnowsWhatIsRegistered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("pgx cannot load a type from it")
		}
		ownerkit.MustExec(t, db, diaryDDL+leavesKey+`alter table diaries drop column moods; alter table diaries add column moods mood[] not null`)
		config := db.Config()
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			types, err := conn.LoadTypes(ctx, []string{"mood", "_mood"})
			if err == nil {
				conn.TypeMap().RegisterTypes(types)
			}
			return err
		}
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer pool.Close()
		require.Empty(t, verified(t, pool, diaries, leaves))
		d := diary{Name: "new", Moods: []mood{"glad", "sad"}}
		require.NoError(t, diaries.In(me).Insert(t.Context(), pool, &d))
		require.Equal(t, []mood{"glad", "sad"}, d.Moods)
	})
}

// A row and those that point at it can be given away in one transaction, with the
// foreign key that Verify proposes.
func TestTransferOfAParentAndItsChildren(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, diaryDDL)
		if db.Cockroach() {
			ownerkit.MustExec(t, db, strings.Replace(leavesKey, ";", " on update cascade;", 1))
			require.Empty(t, verified(t, db, diaries, leaves))
		} else {
			found := verified(t, db, diaries, leaves)
			require.Len(t, found, 1)
			require.True(t, strings.HasSuffix(found[0].SQL, " deferrable;"), found[0].SQL)
			mend(t, db, found[0])
		}
		d := diary{Name: "x", Moods: []mood{}}
		require.NoError(t, diaries.In(me).Insert(ctx, db, &d))
		l := leaf{Diary: d.ID}
		require.NoError(t, leaves.In(me).Insert(ctx, db, &l))
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			if db.Cockroach() {
				return diaries.In(me).TransferTo(ctx, tx, other, d.ID) // the rest comes along
			}
			if _, err := tx.Exec(ctx, "set constraints all deferred"); err != nil {
				return err
			}
			if err := diaries.In(me).TransferTo(ctx, tx, other, d.ID); err != nil {
				return err
			}
			return leaves.In(me).TransferTo(ctx, tx, other, l.ID)
		}))
		got, err := leaves.In(other).Get(ctx, db, l.ID)
		require.NoError(t, err)
		require.Equal(t, d.ID, got.Diary)
		if !db.Cockroach() {
			require.ErrorContains(t, diaries.In(other).TransferTo(ctx, db, me, d.ID), "23503", "without its children")
		}
	})
}
