package owner_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
)

type GuestID int64

type Visit struct {
	ID    int64   `db:"id"       owner:"pk"`
	Guest GuestID `db:"guest_id" owner:"owner"`
	Room  string  `db:"room"`
}

var (
	Visits = owner.MustTable[Visit, GuestID]("visits")
	Room   = owner.Column(Visits, func(v *Visit) *string { return &v.Room })
)

// printing is a database that prints the statements it runs.
type printing struct{ owner.DB }

func (p printing) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	fmt.Println(sql, args)
	return p.DB.Query(ctx, sql, args...)
}

func (p printing) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	fmt.Println(sql, args)
	return p.DB.Exec(ctx, sql, args...)
}

// The SQL of a statement: a database that prints it and then runs it.
func ExampleDB_sql() {
	ctx := context.Background()
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(ctx, "create table visits (id bigint primary key, guest_id bigint not null, room text not null)")
	if err != nil {
		log.Fatal(err)
	}
	guest, err := owner.For(GuestID(42))
	if err != nil {
		log.Fatal(err)
	}
	_, err = Visits.In(guest).Where(Room.HasPrefix("suite")).Count(ctx, printing{db})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec(ctx, "drop table visits"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// select count(*) from "visits" where "guest_id" = $1 and ("room" like $2) [42 suite%]
}
