package owner_test

import (
	"fmt"
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

// Shelf has a key of several columns, of types that pgx does not know or cannot
// derive from the value.
type (
	Shelf struct {
		Owner  uuid           `db:"owner_id" owner:"owner"`
		Status status         `db:"status" owner:"pk"`
		Size   pgtype.Numeric `db:"size" owner:"pk"`
		At     time.Time      `db:"at" owner:"pk"`
		Key    uuid           `db:"key" owner:"pk"`
		Shift  byPointer      `db:"shift" owner:"pk"`
		Name   string         `db:"name" owner:"pk"`
	}
	Box struct {
		ID     int64          `db:"id" owner:"pk"`
		Status status         `db:"a" owner:"parent"`
		Size   pgtype.Numeric `db:"b" owner:"parent"`
		At     time.Time      `db:"c" owner:"parent"`
		Key    uuid           `db:"d" owner:"parent"`
		Shift  byPointer      `db:"e" owner:"parent"`
		Name   string         `db:"f" owner:"parent"`
	}
	Pin struct {
		ID     int32           `db:"id" owner:"pk"`
		Owner  uuid            `db:"owner_id" owner:"owner"`
		Status *status         `db:"a"`
		Size   *pgtype.Numeric `db:"b"`
		At     *time.Time      `db:"c"`
		Key    *uuid           `db:"d"`
		Shift  byPointer       `db:"e"`
		Name   *string         `db:"f"`
	}
)

var (
	Shelves = owner.MustTable[Shelf, uuid]("shelves")
	Boxes   = owner.MustThrough[Box]("boxes", Shelves)
	Pins    = owner.MustTable[Pin, uuid]("pins", owner.References(Shelves,
		func(p *Pin) any { return &p.Status }, func(p *Pin) any { return &p.Size }, func(p *Pin) any { return &p.At },
		func(p *Pin) any { return &p.Key }, func(p *Pin) any { return &p.Shift }, func(p *Pin) any { return &p.Name }))
)

const shelvesDDL = `create type status as enum ('open', 'closed'); create sequence box_ids start 5000;
create table shelves (owner_id uuid not null, status status, size numeric(8, 2), at timestamptz, key uuid, shift int8, name varchar(5),
	primary key (status, size, at, key, shift, name));
create table boxes (id int8 primary key default nextval('box_ids'), a status not null, b numeric not null, c timestamptz not null, d uuid not null, e int8 not null, f text not null);
create table pins (id int4 primary key default nextval('box_ids'), owner_id uuid not null, a status, b numeric, c timestamptz, d uuid, e int8, f varchar(9))`

// The result is the same for every exec mode of pgx and every plan of the server.
func TestInsertManyInEveryQueryExecMode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, shelvesDDL)
		plans := []string{"auto"}
		if !db.Cockroach() {
			plans = []string{"auto", "force_generic_plan", "force_custom_plan"}
		}
		for i, mode := range []pgx.QueryExecMode{
			pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
		} {
			for j, plan := range plans {
				t.Run(mode.String()+" "+plan, func(t *testing.T) {
					t.Parallel()
					config := db.Config()
					config.ConnConfig.DefaultQueryExecMode = mode
					config.MaxConns = 1
					pool, err := pgxpool.NewWithConfig(t.Context(), config)
					require.NoError(t, err)
					defer pool.Close()
					if !db.Cockroach() {
						_, err := pool.Exec(t.Context(), "set plan_cache_mode = "+plan)
						require.NoError(t, err)
					}
					requireKeysChecked(t, pool, uuid{0: byte(i + 1), 1: byte(j)})
				})
			}
		}
	})
}

// requireKeysChecked fails unless InsertMany checks keys of several columns.
func requireKeysChecked(t *testing.T, db owner.DB, own uuid) {
	ctx := t.Context()
	stranger := own
	stranger[15] = 1
	in := ownerkit.Scope(own)
	shelf := func(key uuid, i int) Shelf {
		return Shelf{
			Status: "open", Size: mustNumeric(t, fmt.Sprintf("%d.50", i)), At: time.Date(2024, 2, 29, 12, 0, i, 0, time.UTC), Key: key,
			Shift: byPointer{int64(i)}, Name: strings.Repeat(`'`, i%5+1),
		}
	}
	shelves := []Shelf{shelf(own, 1), shelf(own, 2), shelf(own, 3)}
	foreign := shelf(stranger, 4)
	require.NoError(t, Shelves.In(in).InsertMany(ctx, db, shelves))
	require.NoError(t, Shelves.In(ownerkit.Scope(stranger)).InsertMany(ctx, db, []Shelf{foreign}))
	box := func(s Shelf) Box { return Box{0, s.Status, s.Size, s.At, s.Key, s.Shift, s.Name} }
	pin := func(s Shelf) Pin { return Pin{0, uuid{}, &s.Status, &s.Size, &s.At, &s.Key, s.Shift, &s.Name} }
	missing := shelves[0]
	missing.Name = "none"
	for range 8 { // a prepared statement gets its generic plan after five
		require.NoError(t, Boxes.In(in).InsertMany(ctx, db, []Box{box(shelves[0]), box(shelves[1]), box(shelves[0]), box(shelves[2])}))
		require.NoError(t, Pins.In(in).InsertMany(ctx, db, []Pin{{}, pin(shelves[0]), pin(shelves[1]), {Status: &shelves[0].Status}}))
		for _, s := range []Shelf{foreign, missing} {
			require.ErrorIs(t, Boxes.In(in).InsertMany(ctx, db, []Box{box(shelves[0]), box(shelves[1]), box(shelves[0]), box(s)}), owner.ErrReference)
			require.ErrorIs(t, Pins.In(in).InsertMany(ctx, db, []Pin{{}, pin(shelves[0]), pin(s), {}}), owner.ErrReference)
		}
	}
	require.ErrorIs(t, Boxes.In(in).InsertMany(ctx, db, []Box{{Status: "open", Size: pgtype.Numeric{}, At: foreign.At, Key: own}}), owner.ErrReference, "NULL")
	ownerkit.RequireCount(t, db, 32, Boxes.In(in).Count)
	ownerkit.RequireCount(t, db, 32, Pins.In(in).Count)
}
