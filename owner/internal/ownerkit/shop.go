package ownerkit

import "github.com/rowkeeper/rowkeeper/owner"

// An Order belongs to an owner of type U. It may use a coupon of the owner.
type Order[U comparable] struct {
	ID      int64  `db:"id" owner:"pk"`
	UserID  U      `db:"user_id" owner:"owner" json:"user_id"`
	Number  int32  `db:"number" json:"number"`
	Title   string `db:"title" json:"title"`
	Total   int64  `db:"total" owner:"server" json:"total"`
	Secret  string `db:"secret" owner:"hidden" json:"secret"`
	Coupon  *int64 `db:"coupon_id" json:"coupon"`
	Country string `db:"country" json:"country"`
	Version int64  `db:"version" owner:"version" json:"version"`
}

// A Line belongs to an order, and has no column of the owner.
type Line struct {
	OrderID int64  `db:"order_id" owner:"pk,parent"`
	N       int32  `db:"n" owner:"pk"`
	Text    string `db:"text"`
	Price   int64  `db:"price"`
}

// A Coupon belongs to an owner of type U.
type Coupon[U comparable] struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID U      `db:"user_id" owner:"owner"`
	Code   string `db:"code"`
}

// A Country belongs to nobody.
type Country struct {
	Code string `db:"code" owner:"pk"`
	Name string `db:"name"`
}

// A Shop is the declarations of tables that refer to each other.
type Shop[U comparable] struct {
	Countries *owner.SharedTable[Country]
	Coupons   *owner.Table[Coupon[U], U]
	Orders    *owner.Table[Order[U], U]
	Lines     *owner.Table[Line, U]
}

// DeclareShop declares the tables of [ShopDDL].
func DeclareShop[U comparable]() Shop[U] {
	var s Shop[U]
	s.Countries = owner.MustShared[Country]("countries")
	s.Coupons = owner.MustTable[Coupon[U], U]("coupons")
	s.Orders = owner.MustTable[Order[U], U]("orders",
		owner.Unique(func(o *Order[U]) any { return &o.Number }),
		owner.Unique(func(o *Order[U]) any { return &o.ID }),
		owner.References(s.Coupons, func(o *Order[U]) any { return &o.Coupon }),
		owner.References(s.Countries, func(o *Order[U]) any { return &o.Country }))
	s.Lines = owner.MustThrough[Line]("lines", s.Orders,
		owner.Unique(func(l *Line) any { return &l.OrderID }, func(l *Line) any { return &l.N }))
	return s
}

// A Draft belongs to a user of a tenant.
type Draft[U comparable] struct {
	Tenant int32  `db:"tenant_id" owner:"tenant,pk"`
	User   U      `db:"user_id" owner:"owner"`
	ID     int64  `db:"id" owner:"pk"`
	Text   string `db:"text"`
}
