package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

func ExampleFor() {
	me, err := owner.For(UserID(42))
	fmt.Println(me.Owner(), err)

	_, err = owner.For(UserID(0)) // a caller that nobody authenticated
	fmt.Println(errors.Is(err, owner.ErrUnscoped), err)
	// Output:
	// 42 <nil>
	// true owner: no owner in scope: the owner is the zero value
}

func ExampleNewContext() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := owner.FromContext[UserID](r.Context())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("hello", me.Owner())
	})
	authenticated := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		me, err := owner.For(UserID(42)) // from the session, for example
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
	// owner: no owner in scope: the context carries no owner of type owner_test.UserID
}

func ExampleSelect_Where() {
	ctx := context.Background()
	db := exampleDB()
	defer db.Close()

	me, err := owner.For(UserID(42))
	if err != nil {
		log.Fatal(err)
	}
	rich := owner.Or(Balance.Ge(1000), owner.And(Name.HasPrefix("sav"), Balance.Gt(0)))
	accounts, err := Accounts.In(me).Where(rich).OrderBy(Name.Asc(), ID.Asc()).Limit(50).All(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range accounts {
		fmt.Println(a.Name, a.Balance)
	}
	// Output:
	// checking 1500
	// savings 100
}

func ExampleUpdate_Set() {
	ctx := context.Background()
	db := exampleDB()
	defer db.Close()

	me, err := owner.For(UserID(42))
	if err != nil {
		log.Fatal(err)
	}
	err = Accounts.In(me).Update(1).Set(Balance.Add(-30), Name.Set("holiday")).Exec(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	a, err := Accounts.In(me).Get(ctx, db, 1)
	fmt.Println(a.Name, a.Balance, err)

	// Account 3 exists, but it is not this caller's.
	err = Accounts.In(me).Update(3).Set(Balance.Add(-30)).Exec(ctx, db)
	fmt.Println(err)
	// Output:
	// holiday 70 <nil>
	// owner: not found in accounts
}

func exampleDB() *dbtest.DB {
	db := dbtest.Example()
	_, err := db.Exec(context.Background(), accountsDDL+`;
		insert into accounts (id, user_id, name, balance) values
		(1, 42, 'savings', 100), (2, 42, 'checking', 1500), (3, 43, 'savings', 5000)`)
	if err != nil {
		log.Fatal(err)
	}
	return db
}
