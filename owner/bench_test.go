package owner_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

// cannedDB answers each query with that many rows, whose fields stay zero, and each
// other statement with one changed row.
type cannedDB int

func (db cannedDB) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return &cannedRows{left: int(db)}, nil
}

func (db cannedDB) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.NewCommandTag("UPDATE 1"), nil
}

type cannedRows struct {
	pgx.Rows
	left int
}

func (r *cannedRows) Next() bool                                   { r.left--; return r.left >= 0 }
func (r *cannedRows) Scan(...any) error                            { return nil }
func (r *cannedRows) Close()                                       {}
func (r *cannedRows) Err() error                                   { return nil }
func (r *cannedRows) FieldDescriptions() []pgconn.FieldDescription { return nil }
func (r *cannedRows) RawValues() [][]byte                          { return nil }
func (r *cannedRows) Conn() *pgx.Conn                              { return nil }

// BenchmarkStatements measures what the statements cost besides the database.
func BenchmarkStatements(b *testing.B) {
	mine := Accounts.In(me)
	for _, bench := range []struct {
		name string
		rows cannedDB
		run  func(ctx context.Context, db owner.DB) error
	}{
		{"For", 0, func(context.Context, owner.DB) error { _, err := owner.For(alice); return err }},
		{"Get", 1, func(ctx context.Context, db owner.DB) error { _, err := mine.Get(ctx, db, int64(1000)); return err }},
		{"One", 1, func(ctx context.Context, db owner.DB) error {
			_, err := Accounts.In(me).Where(Name.Eq("savings"), Balance.Ge(1000)).One(ctx, db)
			return err
		}},
		{"All", 100, func(ctx context.Context, db owner.DB) error {
			_, err := Accounts.In(me).Where(ID.In(1, 2, 3), owner.Or(Nick.IsNull(), Name.HasPrefix("s"))).OrderBy(Name.Asc()).All(ctx, db)
			return err
		}},
		{"Rows", 100, func(ctx context.Context, db owner.DB) error {
			for _, err := range mine.Where(Name.Eq("savings")).Rows(ctx, db) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"Page", 20, func(ctx context.Context, db owner.DB) error {
			_, err := mine.Where(Name.Eq("savings")).OrderBy(Created.Desc()).Page(ctx, db, sealed, "", 20)
			return err
		}},
		{"Count", 1, func(ctx context.Context, db owner.DB) error { _, err := mine.Count(ctx, db); return err }},
		{"Sum", 1, func(ctx context.Context, db owner.DB) error { _, err := Balance.Sum(ctx, db, mine); return err }},
		{"Insert", 1, func(ctx context.Context, db owner.DB) error { return mine.Insert(ctx, db, &Account{Name: "new"}) }},
		{"InsertMany", 1, func(ctx context.Context, db owner.DB) error {
			return mine.InsertMany(ctx, db, []Account{{Name: "new"}})
		}},
		{"Update", 1, func(ctx context.Context, db owner.DB) error {
			return mine.Update(int64(1000)).Set(Balance.Add(1000), Name.Set("new")).Exec(ctx, db)
		}},
		{"UpdateReturning", 1, func(ctx context.Context, db owner.DB) error {
			_, err := mine.Update(int64(1000)).Set(Balance.Add(1000)).Returning(ctx, db)
			return err
		}},
		{"UpdateWhere", 1, func(ctx context.Context, db owner.DB) error {
			_, err := mine.UpdateWhere(Name.Eq("savings")).Set(Balance.Set(1000)).Exec(ctx, db)
			return err
		}},
		{"Delete", 1, func(ctx context.Context, db owner.DB) error { return mine.Delete(int64(1000)).Exec(ctx, db) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.run(ctx, bench.rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
