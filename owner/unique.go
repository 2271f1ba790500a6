package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// Unique declares that the owner together with these fields of the row is unique. If
// they are the primary key without the owner, it stands for the primary key.
//
//	// create unique index on accounts (user_id, name)
//	var Accounts = owner.MustTable[Account, UserID]("accounts",
//		owner.Unique(func(a *Account) any { return &a.Name }))
//
// A key of several columns needs a function for each. [Scoped.Upsert] takes the columns
// of a declared key, and package owner/schema compares it with the database. A table
// that is never written has no key.
func Unique[R any](fields ...func(row *R) any) TableOption[R] {
	return tableOption[R](func(d *core.Declaration) { d.Unique(columnsAt(d, "Unique", fields)) })
}
