package owner_test

import (
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type (
	Order   = ownerkit.Order[UserID]
	Line    = ownerkit.Line
	Coupon  = ownerkit.Coupon[UserID]
	Country = ownerkit.Country
)

var (
	shop = ownerkit.DeclareShop[UserID]()

	Countries   = shop.Countries
	CountryName = owner.Column(Countries, func(c *Country) *string { return &c.Name })

	Coupons    = shop.Coupons
	CouponCode = owner.Column(Coupons, func(c *Coupon) *string { return &c.Code })

	Orders       = shop.Orders
	OrderID      = owner.Column(Orders, func(o *Order) *int64 { return &o.ID })
	OrderNumber  = owner.Column(Orders, func(o *Order) *int32 { return &o.Number })
	OrderTitle   = owner.Column(Orders, func(o *Order) *string { return &o.Title })
	OrderTotal   = owner.Column(Orders, func(o *Order) *int64 { return &o.Total })
	OrderSecret  = owner.Column(Orders, func(o *Order) *string { return &o.Secret })
	OrderCoupon  = owner.Column(Orders, func(o *Order) **int64 { return &o.Coupon })
	OrderCountry = owner.Column(Orders, func(o *Order) *string { return &o.Country })
	OrderVersion = owner.Column(Orders, func(o *Order) *int64 { return &o.Version })
	UsesCoupon   = owner.ReferenceOf(Coupons, OrderCoupon)
	InCountry    = owner.ReferenceOf(Countries, OrderCountry)

	Lines     = shop.Lines
	LineOrder = owner.Column(Lines, func(l *Line) *int64 { return &l.OrderID })
	LineN     = owner.Column(Lines, func(l *Line) *int32 { return &l.N })
	LineText  = owner.Column(Lines, func(l *Line) *string { return &l.Text })
	LinePrice = owner.Column(Lines, func(l *Line) *int64 { return &l.Price })
	OfOrder   = owner.ReferenceOf(Orders, LineOrder)

	bobOrder      = int64(3)
	bobCoupon     = int64(12)
	missingCoupon = int64(999)
)
