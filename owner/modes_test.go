package owner_test

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type (
	status string // an enum, which pgx does not know
	cents  int64
	// uuid is like github.com/google/uuid.UUID.
	uuid [16]byte
)

func (u uuid) Value() (driver.Value, error) { return hex.EncodeToString(u[:]), nil }

func (u *uuid) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return errors.New("not a string")
	}
	_, err := hex.Decode(u[:], []byte(strings.ReplaceAll(s, "-", "")))
	return err
}

// Kinds has a column of each kind of Go type.
type Kinds struct {
	Owner  uuid               `db:"owner_id" owner:"owner,pk"`
	ID     uuid               `db:"id" owner:"pk"`
	Ref    pgtype.UUID        `db:"ref" owner:"default"`
	Status status             `db:"status"`
	Note   *string            `db:"a $1 note"`
	Text   pgtype.Text        `db:"text"`
	Cents  cents              `db:"cents"`
	Total  pgtype.Numeric     `db:"total"`
	Float  float64            `db:"float"`
	Flag   bool               `db:"flag"`
	Data   []byte             `db:"data"`
	Tags   []string           `db:"tags"`
	At     time.Time          `db:"at"`
	Shift  byPointer          `db:"shift"`
	Maybe  *pgtype.Int8       `db:"maybe"`
	Small  pgtype.Int2        `db:"small"`
	Dates  pgtype.Date        `db:"dates"`
	Extra  map[string]float64 `db:"-"`
}

var (
	kinds     = owner.MustTable[Kinds, uuid]("kinds")
	kindID    = owner.Column(kinds, func(k *Kinds) *uuid { return &k.ID })
	kindOwner = owner.Column(kinds, func(k *Kinds) *uuid { return &k.Owner })
	kindRef   = owner.Column(kinds, func(k *Kinds) *pgtype.UUID { return &k.Ref })
	kindState = owner.Column(kinds, func(k *Kinds) *status { return &k.Status })
	kindNote  = owner.Column(kinds, func(k *Kinds) **string { return &k.Note })
	kindText  = owner.Column(kinds, func(k *Kinds) *pgtype.Text { return &k.Text })
	kindCents = owner.Column(kinds, func(k *Kinds) *cents { return &k.Cents })
	kindTotal = owner.Column(kinds, func(k *Kinds) *pgtype.Numeric { return &k.Total })
	kindFloat = owner.Column(kinds, func(k *Kinds) *float64 { return &k.Float })
	kindFlag  = owner.Column(kinds, func(k *Kinds) *bool { return &k.Flag })
	kindData  = owner.Column(kinds, func(k *Kinds) *[]byte { return &k.Data })
	kindTags  = owner.Column(kinds, func(k *Kinds) *[]string { return &k.Tags })
	kindAt    = owner.Column(kinds, func(k *Kinds) *time.Time { return &k.At })
	kindShift = owner.Column(kinds, func(k *Kinds) *byPointer { return &k.Shift })
	kindMaybe = owner.Column(kinds, func(k *Kinds) **pgtype.Int8 { return &k.Maybe })
	kindSmall = owner.Column(kinds, func(k *Kinds) *pgtype.Int2 { return &k.Small })
)

const kindsDDL = `create type status as enum ('open', 'closed');
create table kinds (
	owner_id uuid not null, id uuid not null, ref uuid not null default gen_random_uuid(),
	status status not null, "a $1 note" varchar(20), text text, cents int4 not null, total numeric, float float8 not null,
	flag bool not null, data bytea, tags text[], at timestamptz not null, shift int8 not null, maybe int8, small int2, dates date,
	primary key (owner_id, id))`

// Statements mean the same in every exec mode of pgx.
func TestEveryQueryExecMode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, kindsDDL)
		for i, mode := range []pgx.QueryExecMode{
			pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
		} {
			t.Run(mode.String(), func(t *testing.T) {
				t.Parallel()
				config := db.Config()
				config.ConnConfig.DefaultQueryExecMode = mode
				config.MaxConns = 1
				pool, err := pgxpool.NewWithConfig(t.Context(), config)
				require.NoError(t, err)
				defer pool.Close()
				requireEveryKind(t, pool, db.Cockroach(), uuid{0: byte(i + 1)}, uuid{0: byte(i + 1), 15: 1})
			})
		}
	})
}

// requireEveryKind fails unless statements read and write each kind of column.
func requireEveryKind(t *testing.T, db owner.DB, cockroach bool, own, foreign uuid) {
	ctx := t.Context()
	in, out := kinds.In(ownerkit.Scope(own)), kinds.In(ownerkit.Scope(foreign))
	note := "it's 5%"
	full := Kinds{
		ID: uuid{1}, Status: "open", Note: &note, Text: pgtype.Text{String: "text", Valid: true}, Cents: 100,
		Total: mustNumeric(t, "12.50"), Float: 1.5, Flag: true, Data: []byte{0, 1}, Tags: []string{"a", `b"'\`},
		At: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), Shift: byPointer{8}, Maybe: &pgtype.Int8{Int64: 5, Valid: true},
		Small: pgtype.Int2{Int16: 7, Valid: true}, Dates: pgtype.Date{Time: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), Valid: true},
	}
	empty := Kinds{ID: uuid{2}, Status: "closed", At: full.At}
	stranger := full
	for _, row := range []*Kinds{&full, &empty} {
		require.NoError(t, in.Insert(ctx, db, row))
		require.Equal(t, own, row.Owner)
		require.True(t, row.Ref.Valid, "by the database")
	}
	require.NoError(t, out.Insert(ctx, db, &stranger))

	got, err := in.Get(ctx, db, full.ID)
	require.NoError(t, err)
	require.True(t, got.At.Equal(full.At))
	got.At = full.At
	require.Equal(t, full, got)
	got, err = in.Get(ctx, db, empty.ID)
	require.NoError(t, err)
	got.At = empty.At
	require.Equal(t, empty, got)
	_, err = in.Get(ctx, db, uuid{3})
	requireNotFound(t, err)

	five := &pgtype.Int8{Int64: 5, Valid: true}
	for name, condition := range map[string]owner.Condition[Kinds]{
		"id":            kindID.Eq(full.ID),
		"id in":         kindID.In(full.ID, uuid{9}, uuid{8}),
		"owner":         owner.And(kindOwner.In(own, foreign), kindID.Eq(full.ID)),
		"ref":           kindRef.In(full.Ref),
		"ref not in":    kindRef.NotIn(empty.Ref),
		"enum":          kindState.Eq("open"),
		"enum in":       kindState.In("open", "open", "open"),
		"enum not in":   kindState.NotIn("closed"),
		"enum ne":       kindState.Ne("closed"),
		"note":          kindNote.Eq(&note),
		"note in":       kindNote.In(&note),
		"note like":     kindNote.Contains("s 5%"),
		"note set":      kindNote.IsNotNull(),
		"text":          kindText.Eq(full.Text),
		"text like":     kindText.HasSuffix("xt"),
		"cents":         kindCents.Gt(99),
		"cents in":      kindCents.In(100, 101, 102),
		"total":         kindTotal.Ge(mustNumeric(t, "12.5")),
		"total in":      kindTotal.In(mustNumeric(t, "12.50")),
		"float":         kindFloat.Eq(1.5),
		"flag":          kindFlag.Eq(true),
		"flag in":       kindFlag.In(true),
		"data":          kindData.Eq([]byte{0, 1}),
		"data in":       kindData.In([]byte{0, 1}, []byte{}),
		"tags":          kindTags.Eq([]string{"a", `b"'\`}),
		"tags in":       kindTags.In([]string{"a", `b"'\`}, []string{}),
		"at":            owner.And(kindAt.In(full.At), kindFlag.Eq(true)),
		"shift":         kindShift.Eq(byPointer{8}),
		"shift in":      kindShift.In(byPointer{8}, byPointer{9}),
		"maybe":         kindMaybe.Eq(five),
		"maybe in":      kindMaybe.In(five, five, five),
		"small":         kindSmall.Le(pgtype.Int2{Int16: 7, Valid: true}),
		"not":           owner.Not(owner.Or(kindFlag.Eq(false), kindCents.Lt(1))),
		"false or true": owner.And(owner.Or(kindID.In(), kindFlag.Eq(true)), owner.And[Kinds]()),
	} {
		if name == "tags in" && cockroach {
			continue // CockroachDB has no IN for arrays
		}
		q := in.Where(condition).OrderBy(kindAt.Desc(), kindID.Asc())
		one, err := q.One(ctx, db)
		require.NoError(t, err, name)
		require.Equal(t, full.ID, one.ID, name)
		require.Equal(t, own, one.Owner, name)
		all, err := q.Limit(10).All(ctx, db)
		require.NoError(t, err, name)
		require.Len(t, all, 1, name)
		ownerkit.RequireCount(t, db, 1, q.Count, name)
		ownerkit.RequireExists(t, db, true, q.Exists, name)
	}

	err = in.Update(full.ID).Set(
		kindCents.Add(-1), kindTotal.Add(mustNumeric(t, "-0.5")), kindFloat.Add(0.5), kindMaybe.Add(five),
		kindSmall.Add(pgtype.Int2{Int16: 1, Valid: true}), kindState.Set("closed"), kindNote.Set(nil), kindText.Set(pgtype.Text{}),
		kindShift.Set(byPointer{3}), kindTags.Set(nil), kindData.Set([]byte{2}), kindRef.Set(empty.Ref), kindFlag.Set(false),
		kindAt.Set(full.At.Add(time.Hour)),
	).Exec(ctx, db)
	require.NoError(t, err)
	got, err = in.Get(ctx, db, full.ID)
	require.NoError(t, err)
	require.True(t, got.At.Equal(full.At.Add(time.Hour)))
	total, err := got.Total.Float64Value()
	require.NoError(t, err)
	require.EqualValues(t, 12, total.Float64)
	got.At, got.Total = full.At, full.Total
	full.Cents, full.Float, full.Maybe, full.Small.Int16 = 99, 2, &pgtype.Int8{Int64: 10, Valid: true}, 8
	full.Status, full.Note, full.Text, full.Shift, full.Tags = "closed", nil, pgtype.Text{}, byPointer{3}, nil
	full.Data, full.Ref, full.Flag = []byte{2}, empty.Ref, false
	require.Equal(t, full, got)

	require.NoError(t, in.Delete(full.ID).Exec(ctx, db))
	requireNotFound(t, in.Delete(full.ID).Exec(ctx, db))
	got, err = out.Get(ctx, db, full.ID)
	require.NoError(t, err)
	got.At = stranger.At
	require.Equal(t, stranger, got)
}

// Plain bytes as a UUID: pgx can encode them if it knows the type of the parameter,
// and otherwise returns an error before it sends anything.
func TestBytesAsUUID(t *testing.T) {
	type tenantID [16]byte
	type row struct {
		Tenant tenantID `db:"tenant" owner:"owner,pk"`
		ID     [16]byte `db:"id" owner:"pk"`
	}
	rows := owner.MustTable[row, tenantID]("rows")
	id := owner.Column(rows, func(r *row) *[16]byte { return &r.ID })
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table rows (tenant uuid, id uuid default gen_random_uuid(), primary key (tenant, id))`)
		r := row{ID: [16]byte{1}}
		require.NoError(t, rows.In(ownerkit.Scope(tenantID{1})).Insert(ctx, db, &r))
		require.NoError(t, rows.In(ownerkit.Scope(tenantID{2})).Insert(ctx, db, &row{ID: [16]byte{1}}))
		all, err := rows.In(ownerkit.Scope(tenantID{1})).Where(id.In([16]byte{1}, [16]byte{2}, [16]byte{3})).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []row{{tenantID{1}, [16]byte{1}}}, all)
		_, err = rows.In(ownerkit.Scope(tenantID{3})).Get(ctx, db, [16]byte{1})
		requireNotFound(t, err)
	})
}

func mustNumeric(t *testing.T, s string) pgtype.Numeric {
	t.Helper()
	var n pgtype.Numeric
	require.NoError(t, n.Scan(s))
	return n
}
