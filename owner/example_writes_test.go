package owner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
)

func ExampleScoped_Insert() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	a := Account{ID: 9, Name: "new"}
	err := Accounts.In(me).Insert(ctx, db, &a)
	fmt.Println(a.UserID, a.Created.IsZero(), err)
	err = Accounts.In(me).Insert(ctx, db, &Account{UserID: 43})
	fmt.Println(errors.Is(err, owner.ErrOtherOwner))
	// Output:
	// 42 false <nil>
	// true
}

func ExampleScoped_InsertMany() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	fmt.Println(Lines.In(me).InsertMany(ctx, db, []Line{{OrderID: 1, N: 3, Text: "a"}, {OrderID: 2, N: 2, Text: "b"}}))
	// All or none: order 3 is not this caller's.
	err := Lines.In(me).InsertMany(ctx, db, []Line{{OrderID: 1, N: 4}, {OrderID: 3, N: 4}})
	fmt.Println(errors.Is(err, owner.ErrReference))
	n, err := Lines.In(me).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// true
	// 5 <nil>
}

func ExampleScoped_Delete() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	in := Orders.In(me)
	err := in.Delete(2).At(4).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrStale)) // it is in version 5
	var second owner.Delete[Order, UserID] = in.Delete(2)
	fmt.Println(second.IfMatch(`"5"`).Exec(ctx, db))
	fmt.Println(second.Exec(ctx, db))
	// Output:
	// true
	// <nil>
	// owner: not found in orders
}

func ExampleScoped_DeleteWhere() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	in := Lines.In(me)
	_, err := in.DeleteWhere(owner.And[Line]()).MaxAffected(2).Exec(ctx, db) // there are three
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	n, err := in.DeleteWhere(LinePrice.Lt(100)).MaxAffected(2).Exec(ctx, db)
	fmt.Println(n, err)
	// Output:
	// true
	// 2 <nil>
}

func ExampleScoped_TransferTo() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	receiver, err := owner.For(UserID(44))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(Accounts.In(me).TransferTo(ctx, db, receiver, 1))
	a, err := Accounts.In(receiver).Get(ctx, db, 1)
	fmt.Println(a.Name, err)
	_, err = Accounts.In(me).Get(ctx, db, 1)
	fmt.Println(err)
	// Output:
	// <nil>
	// savings <nil>
	// owner: not found in accounts
}

func ExampleScoped_QueueInsert() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	in := Accounts.In(me)
	err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		var queue owner.Queue = tx // all of these travel with COMMIT
		return errors.Join(
			in.QueueInsert(queue, &Account{ID: 9, Name: "new"}),
			in.Update(1).Set(Balance.Add(-30)).Queue(queue),
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

func ExampleTable_ParseIfMatch() {
	for _, header := range []string{Orders.ETag(&Order{Version: 7}), `W/"7"`, "*", "", "7"} {
		version, whatever, err := Orders.ParseIfMatch(header)
		switch {
		case errors.Is(err, owner.ErrNoVersion):
			fmt.Println(http.StatusPreconditionRequired)
		case errors.Is(err, owner.ErrStale):
			fmt.Println(http.StatusPreconditionFailed)
		case err != nil:
			fmt.Println(http.StatusBadRequest)
		default:
			fmt.Println(version, whatever)
		}
	}
	// Output:
	// 7 false
	// 412
	// 0 true
	// 428
	// 400
}

func ExamplePatchError() {
	for _, body := range []string{`{}`, `{"titel": "x"}`, `{"user_id": 43}`, `{"title": 7}`, `{"number": "4", "title": null}`} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &members); err != nil {
			fmt.Println(err)
			return
		}
		_, err := Orders.Patch(members)
		var refused *owner.PatchError
		if !errors.As(err, &refused) || refused.Kind() != errs.Invalid {
			continue
		}
		switch refused.Reason {
		case "nothing_to_change":
			fmt.Println("there is nothing to change")
		case "unknown_field":
			fmt.Println(refused.Field, "is unknown")
		case "read_only_field":
			fmt.Println(refused.Field, "cannot be changed")
		case "wrong_type":
			fmt.Println(refused.Error())
			for _, f := range refused.Fields() {
				fmt.Println(f.Pointer, f.Detail)
			}
		}
	}
	// Output:
	// there is nothing to change
	// /titel is unknown
	// /user_id cannot be changed
	// owner: patch: "/title": wrong_type
	// /title This value must be a text.
	// owner: patch: "/number": wrong_type, and 1 more
	// /number This value must be a whole number from -2147483648 to 2147483647.
	// /title This value must be a text.
}
