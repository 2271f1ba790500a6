// Package compile is not meant to compile: each line marked "wrong" is a
// mistake that the types of package owner must catch, and no other line is.
package compile

import (
	"context"

	"github.com/rowkeeper/rowkeeper/owner"
)

type (
	UserID int64
	TeamID int64
)

type Account struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID UserID `db:"user_id" owner:"owner"`
	Name   string `db:"name"`
}

type Team struct {
	ID     int64  `db:"id" owner:"pk"`
	TeamID TeamID `db:"team_id" owner:"owner"`
	Title  string `db:"title"`
}

var (
	accounts = owner.MustTable[Account, UserID]("accounts")
	teams    = owner.MustTable[Team, TeamID]("teams")
	id       = owner.Column(accounts, func(a *Account) *int64 { return &a.ID })
	name     = owner.Column(accounts, func(a *Account) *string { return &a.Name })
	title    = owner.Column(teams, func(t *Team) *string { return &t.Title })

	nameOf  = func(a *Account) any { return &a.Name }
	titleOf = func(t *Team) any { return &t.Title }
	byName  = owner.Unique(nameOf)
	byTitle = owner.Unique(titleOf)

	_ = owner.MustTable[Account, UserID]("accounts", byName, owner.References(teams, nameOf), nil)

	_ = owner.Column(accounts, func(t *Team) *string { return &t.Title })                 // wrong
	_ = owner.MustTable[Account, UserID]("accounts", byTitle)                             // wrong
	_ = owner.MustTable[Account, UserID]("accounts", owner.References(teams, titleOf))    // wrong
	_ = owner.MustTable[Account, UserID]("accounts", new(owner.Forward[Team]))            // wrong
	_ = owner.MustTable[Account, UserID]("accounts", func(*Account) any { return nil })   // wrong
	_ = owner.MustTable[Account, UserID]("accounts", name)                                // wrong
	_ = owner.MustTable[Account, UserID]("accounts", owner.TableOption[Team](byTitle))    // wrong
	_ = owner.MustTable[Account, UserID]("accounts", owner.TableOption[Account](byTitle)) // wrong
	_ = owner.MustView[struct{}](accounts, owner.SkipLocked)                              // wrong
)

func use(ctx context.Context, db owner.DB, me owner.Scope[UserID], team owner.Scope[TeamID]) {
	in := accounts.In(me)
	_, _ = in.Where(name.Eq("x"), id.Gt(1)).OrderBy(name.Asc()).All(ctx, db)
	_ = in.Update(1).Set(name.Set("x")).Exec(ctx, db)

	_ = accounts.In(team)                                // wrong
	_ = accounts.In(UserID(1))                           // wrong
	_ = accounts.In()                                    // wrong
	_, _ = accounts.All(ctx, db)                         // wrong
	_ = in.Where(title.Eq("x"))                          // wrong
	_ = in.Where(owner.Or(name.Eq("x"), title.IsNull())) // wrong
	_ = in.Where(owner.Not(title.Eq("x")))               // wrong
	_ = in.OrderBy(title.Asc())                          // wrong
	_ = in.Update(1).Set(title.Set("x"))                 // wrong
	_ = in.Where("true")                                 // wrong
	_ = in.OrderBy("name")                               // wrong
	_ = name.Eq(1)                                       // wrong
	_ = id.In("1")                                       // wrong
	_ = name.Set(nil)                                    // wrong
	_ = in.ForUpdate(owner.Distinct())                   // wrong
	_ = in.Upsert(ctx, db, &Account{}, title)            // wrong
	_ = in.Upsert(ctx, db, &Account{})                   // wrong
	_, _ = name.Max(ctx, db, teams.In(team))             // wrong
	_ = in.Insert(ctx, db, &Team{})                      // wrong
	_ = in.Where(name.Eq("x")).Delete(1)                 // wrong
	_ = in.Where(name.Eq("x")).Update(1)                 // wrong
	_ = owner.Scope[UserID]{owner: 1, arg: 1}            // wrong

	// A conversion is no way around.
	_ = owner.ColumnOf[Account, string](title)             // wrong
	_ = owner.ColumnOf[Account, UserID](id)                // wrong
	_ = owner.Condition[Account](title.Eq("x"))            // wrong
	_ = owner.Order[Account](title.Asc())                  // wrong
	_ = owner.Assignment[Account](title.Set("x"))          // wrong
	_ = (*owner.Table[Account, TeamID])(accounts).In(team) // wrong
	_ = owner.Scope[UserID](team)                          // wrong

	_, _ = owner.For([]byte("x"))      // wrong
	_, _ = owner.For(map[string]int{}) // wrong
	_, _ = owner.For(func() {})        // wrong
}
