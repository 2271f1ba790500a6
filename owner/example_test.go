package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
)

type CustomerID int64

type Wallet struct {
	ID       int64      `db:"id"          owner:"pk"`
	Customer CustomerID `db:"customer_id" owner:"owner"`
	Name     string     `db:"name"`
	Nick     *string    `db:"nick"`
	Balance  int64      `db:"balance"     owner:"server"`
	Created  time.Time  `db:"created_at"  owner:"default"`
}

var (
	Wallets       = owner.MustTable[Wallet, CustomerID]("wallets")
	WalletID      = owner.Column(Wallets, func(w *Wallet) *int64 { return &w.ID })
	WalletName    = owner.Column(Wallets, func(w *Wallet) *string { return &w.Name })
	WalletNick    = owner.Column(Wallets, func(w *Wallet) **string { return &w.Nick })
	WalletBalance = owner.Column(Wallets, func(w *Wallet) *int64 { return &w.Balance })
)

// customer returns the scope of a customer, as the authentication of a service does.
func customer(id CustomerID) owner.Scope[CustomerID] {
	scope, err := owner.For(id)
	if err != nil {
		log.Fatal(err)
	}
	return scope
}

// bank connects to the database and creates three wallets: 1 and 2 of customer 42, and 3
// of customer 43. The function that it returns drops them.
func bank(ctx context.Context) (db *pgxpool.Pool, drop func()) {
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(ctx, `create sequence wallet_ids start 5000;
		create table wallets (
			id bigint primary key default nextval('wallet_ids'),
			customer_id bigint not null,
			name text not null,
			nick text,
			balance bigint not null default 0,
			created_at timestamptz not null default now());
		insert into wallets (id, customer_id, name, balance) values
			(1, 42, 'savings', 100), (2, 42, 'checking', 1500), (3, 43, 'savings', 5000)`)
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		if _, err := db.Exec(ctx, "drop table wallets; drop sequence wallet_ids"); err != nil {
			log.Fatal(err)
		}
		db.Close()
	}
}

func ExampleFor() {
	me, err := owner.For(CustomerID(42))
	fmt.Println(me.Owner(), err)

	_, err = owner.For(CustomerID(0)) // a caller that nobody authenticated
	fmt.Println(errors.Is(err, owner.ErrUnscoped), err)
	// Output:
	// 42 <nil>
	// true owner: no owner in scope: the owner is the zero value
}

func ExampleNewContext() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := owner.FromContext[CustomerID](r.Context())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("hello", me.Owner())
	})
	authenticated := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := owner.For(CustomerID(42)) // from the session, for example
		if err != nil {
			http.Error(w, "please sign in", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r.WithContext(owner.NewContext(r.Context(), me)))
	})

	request := httptest.NewRequest("GET", "/", nil)
	authenticated.ServeHTTP(httptest.NewRecorder(), request)
	handler.ServeHTTP(httptest.NewRecorder(), request) // somebody forgot the middleware
	// Output:
	// hello 42
	// owner: no owner in scope: the context carries no owner of type owner_test.CustomerID
}

func ExampleSelect_Where() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()

	me, err := owner.For(CustomerID(42))
	if err != nil {
		log.Fatal(err)
	}
	rich := owner.Or(WalletBalance.Ge(1000), owner.And(WalletName.HasPrefix("sav"), WalletBalance.Gt(0)))
	wallets, err := Wallets.In(me).Where(rich).OrderBy(WalletName.Asc(), WalletID.Asc()).Limit(50).All(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range wallets {
		fmt.Println(w.Name, w.Balance)
	}
	// Output:
	// checking 1500
	// savings 100
}

func ExampleColumnOf() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	count := func(conditions ...owner.Condition[Wallet]) {
		n, err := Wallets.In(me).Where(conditions...).Count(ctx, db)
		fmt.Println(n, err)
	}
	count(WalletBalance.Gt(100), WalletBalance.Le(1500), WalletName.Ne("savings"))
	count(WalletName.In("savings", "checking"), WalletID.NotIn(2), WalletBalance.Lt(200))
	count(owner.Not(WalletName.HasSuffix("ings")), WalletNick.IsNull())
	count(owner.Or(WalletNick.IsNotNull(), WalletName.Contains("100%"))) // the text, not a pattern
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
	// 0 <nil>
}

func ExampleSelect_One() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	in := Wallets.In(me)
	found, err := in.Where(WalletName.Eq("savings")).Exists(ctx, db)
	fmt.Println(found, err)
	w, err := in.Where(WalletName.Eq("savings")).One(ctx, db)
	fmt.Println(w.ID, err)
	_, err = in.One(ctx, db) // there are two
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	// Output:
	// true <nil>
	// 1 <nil>
	// true
}

func ExampleSelect_All() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	in := Wallets.In(me)
	if err := in.InsertMany(ctx, db, make([]Wallet, owner.MaxRows)); err != nil {
		log.Fatal(err)
	}
	_, err := in.All(ctx, db) // never a part without saying so
	fmt.Println(err)
	some, err := in.OrderBy(WalletBalance.Desc()).Limit(1).All(ctx, db)
	fmt.Println(some[0].Name, err)
	// Output:
	// owner: too many rows: wallets has more than 1000 for this call
	// checking <nil>
}

func ExampleSelect_Rows() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	for w, err := range Wallets.In(me).OrderBy(WalletID.Asc()).Rows(ctx, db) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(w.ID, w.Name)
	}
	// Output:
	// 1 savings
	// 2 checking
}

func ExampleSelect_ForUpdate() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	in := Wallets.In(me)
	tx, err := db.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	var wait owner.LockOption = owner.NoWait // without one it waits for the others
	w, err := in.ForUpdate(wait).Get(ctx, tx, 1)
	fmt.Println(w.Balance, err)

	// Locks last until the transaction ends, so there must be one.
	next := in.Where(WalletBalance.Gt(0)).OrderBy(WalletID.Asc()).Limit(1)
	_, err = next.ForUpdate(owner.SkipLocked).All(ctx, db)
	fmt.Println(err)
	_, err = next.ForShare().All(ctx, db)
	fmt.Println(err != nil)
	// Output:
	// 100 <nil>
	// owner: table wallets: ForUpdate needs a transaction, not a *pgxpool.Pool
	// true
}

func ExampleColumnOf_Sum() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	// A Reader is any select on the rows.
	var rows owner.Reader[Wallet] = Wallets.In(me).Where(WalletBalance.Gt(0))
	sum, err := WalletBalance.Sum(ctx, db, rows)
	fmt.Println(sum, err)
	least, err := WalletBalance.Min(ctx, db, rows)
	fmt.Println(least, err)
	most, err := WalletBalance.Max(ctx, db, rows)
	fmt.Println(most, err)
	average, err := WalletBalance.Avg(ctx, db, rows)
	fmt.Println(average, err)
	_, err = WalletBalance.Max(ctx, db, Wallets.In(me).Where(WalletID.Eq(3))) // not this caller's
	fmt.Println(errors.Is(err, owner.ErrNotFound))
	// Output:
	// 1600 <nil>
	// 100 <nil>
	// 1500 <nil>
	// 800 <nil>
	// true
}

func ExampleNewCursors() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	other := customer(43)
	var cursors *owner.Cursors
	cursors, err := owner.NewCursors([]byte("a secret of at least 32 bytes ..."))
	if err != nil {
		log.Fatal(err)
	}
	page, err := Wallets.In(me).Page(ctx, db, cursors, "", 1)
	fmt.Println(len(page.Rows), page.Next != "", err)
	// The cursor of one caller is refused for another.
	_, err = Wallets.In(other).Page(ctx, db, cursors, page.Next, 1)
	fmt.Println(errors.Is(err, owner.ErrCursor))
	// Output:
	// 1 true <nil>
	// true
}

// The orders that clients can request.
func ExampleOrder() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	sorts := map[string]owner.Order[Wallet]{"name": WalletName.Asc(), "-balance": WalletBalance.Desc(), "balance": WalletBalance.Asc()}
	for _, wish := range []string{"name", "balance"} {
		w, err := Wallets.In(me).OrderBy(sorts[wish]).Limit(1).One(ctx, db)
		fmt.Println(w.Name, err)
	}
	// Output:
	// checking <nil>
	// savings <nil>
}

func ExampleUpdate_Set() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()

	me, err := owner.For(CustomerID(42))
	if err != nil {
		log.Fatal(err)
	}
	err = Wallets.In(me).Update(1).Set(WalletBalance.Add(-30), WalletName.Set("holiday")).Exec(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	w, err := Wallets.In(me).Get(ctx, db, 1)
	fmt.Println(w.Name, w.Balance, err)

	// Wallet 3 exists, but it is not this caller's.
	err = Wallets.In(me).Update(3).Set(WalletBalance.Add(-30)).Exec(ctx, db)
	fmt.Println(err)
	// Output:
	// holiday 70 <nil>
	// owner: not found in wallets
}

// The changes that a request asks for.
func ExampleAssignment() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	var changes []owner.Assignment[Wallet]
	if amount := int64(5); amount != 0 {
		changes = append(changes, WalletBalance.Add(amount))
	}
	if nick := "pig"; nick != "" {
		changes = append(changes, WalletNick.Set(&nick))
	}
	w, err := Wallets.In(me).Update(1).Set(changes...).Returning(ctx, db)
	fmt.Println(w.Balance, *w.Nick, err)
	// Output: 105 pig <nil>
}

func ExampleScoped_Insert() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	w := Wallet{ID: 9, Name: "new"}
	err := Wallets.In(me).Insert(ctx, db, &w)
	fmt.Println(w.Customer, w.Created.IsZero(), err)
	err = Wallets.In(me).Insert(ctx, db, &Wallet{Customer: 43})
	fmt.Println(errors.Is(err, owner.ErrOtherOwner))
	// Output:
	// 42 false <nil>
	// true
}

func ExampleScoped_TransferTo() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	receiver, err := owner.For(CustomerID(44))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(Wallets.In(me).TransferTo(ctx, db, receiver, 1))
	w, err := Wallets.In(receiver).Get(ctx, db, 1)
	fmt.Println(w.Name, err)
	_, err = Wallets.In(me).Get(ctx, db, 1)
	fmt.Println(err)
	// Output:
	// <nil>
	// savings <nil>
	// owner: not found in wallets
}

func ExampleScoped_QueueInsert() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	in := Wallets.In(me)
	err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		var queue owner.Queue = tx // all of these travel with COMMIT
		return errors.Join(
			in.QueueInsert(queue, &Wallet{ID: 9, Name: "new"}),
			in.Update(1).Set(WalletBalance.Add(-30)).Queue(queue),
			in.Delete(2).Queue(queue),
		)
	})
	fmt.Println(err)
	err = txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		return in.Delete(3).Queue(tx) // not this caller's
	})
	var unexpected *txn.UnexpectedRowsError
	fmt.Println(errors.As(err, &unexpected))
	n, err := in.Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// true
	// 2 <nil>
}

// A function for a pool and for a transaction.
func ExampleDB() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)

	rename := func(db owner.DB, id int64, name string) error {
		return Wallets.In(me).Update(id).Set(WalletName.Set(name)).Exec(ctx, db)
	}
	fmt.Println(rename(db, 1, "holiday"))
	err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		return errors.Join(rename(tx, 1, "car"), rename(tx, 2, "rent"))
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
}
