package owner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

func exampleWorld() *dbtest.DB {
	db := dbtest.Example()
	if _, err := db.Exec(context.Background(), worldDDL); err != nil {
		log.Fatal(err)
	}
	return db
}

func ExampleUpdate_At() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	in := Orders.In(me)

	o, err := in.Update(1).IfMatch(`"1"`).Set(OrderTitle.Set("new")).Returning(ctx, db)
	fmt.Println(o.Title, Orders.ETag(&o), err)
	err = in.Update(1).At(1).Set(OrderTitle.Set("newer")).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrStale), err)
	// Output:
	// new "2" <nil>
	// true owner: the row has changed since it was read (table orders)
}

func ExampleScoped_UpdateWhere() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	in := Orders.In(me)

	n, err := in.UpdateWhere(OrderTotal.Ge(100)).Set(OrderTotal.Add(-5)).MaxAffected(10).Exec(ctx, db)
	fmt.Println(n, err)
	_, err = in.DeleteWhere(OrderTotal.Ge(0)).MaxAffected(1).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	// Output:
	// 2 <nil>
	// true
}

func ExampleTable_Patch() {
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(`{"title": "x", "total": 0}`), &body); err != nil {
		log.Fatal(err)
	}
	_, err := Orders.Patch(body)
	var refused *owner.PatchError
	if errors.As(err, &refused) {
		fmt.Println(refused.Field, refused.Reason)
	}
	// Output: /total read_only_field
}

// Orders refer to coupons and countries; see the declarations of this example.
func ExampleReferences() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	// Coupon 12 exists, but it is not this caller's.
	err := Orders.In(me).Insert(ctx, db, &Order{Number: 9, Country: "at", Coupon: &bobCoupon})
	fmt.Println(errors.Is(err, owner.ErrReference))
	var refused interface{ Fields() []errs.FieldError } // as the client will be told
	if errors.As(err, &refused) {
		for _, f := range refused.Fields() {
			fmt.Println(f.Pointer, f.Code)
		}
	}
	n, err := Orders.In(me).Where(OfOrder.Has(LineText.Eq("pen")), UsesCoupon.To(CouponCode.Eq("A"))).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// true
	// /coupon reference_not_found
	// 1 <nil>
}

func ExampleMustView() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	lines, err := OrderLines.In(me).OrderBy(OrderLineOf.Asc(), OrderLineN.Asc()).All(ctx, db)
	for _, l := range lines {
		fmt.Println(l.Title, l.Text, l.Country)
	}
	fmt.Println(err)
	// Output:
	// one pen Austria
	// one ink Austria
	// two paper Switzerland
	// <nil>
}

func ExampleSelect_Page() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	cursors, err := owner.NewCursors([]byte("a secret of at least 32 bytes ..."))
	if err != nil {
		log.Fatal(err)
	}
	for cursor := ""; ; {
		page, err := Orders.In(me).OrderBy(OrderTotal.Desc()).Page(ctx, db, cursors, cursor, 1)
		if err != nil {
			log.Fatal(err)
		}
		for _, o := range page.Rows {
			fmt.Println(o.Title)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	// Output:
	// two
	// one
}

func ExampleScoped_Upsert() {
	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	o := Order{Number: 1, Title: "again", Country: "at"} // another owner has a number 1 too
	err := Orders.In(me).Upsert(ctx, db, &o, OrderNumber)
	fmt.Println(o.ID, o.Version, err)
	// Output: 1 2 <nil>
}
