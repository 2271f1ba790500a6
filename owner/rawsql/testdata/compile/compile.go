// Package compile is not meant to compile: each line marked "wrong" is a
// mistake that the types of package rawsql must catch, and no other line is.
package compile

import (
	"context"
	"fmt"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/rawsql"
)

type (
	UserID int64
	TeamID int64
)

type Account struct {
	ID     int64  `db:"id" owner:"pk"`
	UserID UserID `db:"user_id" owner:"owner"`
}

type Team struct {
	ID     int64  `db:"id" owner:"pk"`
	TeamID TeamID `db:"team_id" owner:"owner"`
}

const (
	untyped        = "id > @id"
	typed   string = "id > @id"
)

var (
	accounts = owner.MustTable[Account, UserID]("accounts")
	positive = rawsql.MustFragment[Account](untyped + " and true")
	titled   = rawsql.MustFragment[Team]("title = ''")
	touch    = rawsql.MustStatement[UserID]("update accounts set id = id where user_id = @owner")
)

func use(ctx context.Context, db owner.DB, me owner.Scope[UserID], team owner.Scope[TeamID], text string) {
	in := accounts.In(me)
	_, _ = in.Where(positive.With(rawsql.Args{"id": text})).All(ctx, db)
	_, _ = touch.Exec(ctx, db, me, nil)

	_ = rawsql.MustFragment[Account](text)                               // wrong
	_ = rawsql.MustFragment[Account](typed)                              // wrong
	_ = rawsql.MustFragment[Account]("id = " + text)                     // wrong
	_ = rawsql.MustFragment[Account](fmt.Sprintf("id = %s", text))       // wrong
	_, _ = rawsql.NewFragment[Account](text)                             // wrong
	_ = rawsql.MustStatement[UserID](text)                               // wrong
	_ = rawsql.MustStatement[UserID]("select 1 where " + text)           // wrong
	_, _ = rawsql.NewStatement[UserID](text)                             // wrong
	_ = rawsql.MustFragment[Account](rawsql.constant(text))              // wrong
	_ = rawsql.MustFragment("true")                                      // wrong
	_ = in.Where(titled.With(nil))                                       // wrong
	_ = in.Where(positive)                                               // wrong
	_ = in.Where("id > 1")                                               // wrong
	_ = in.Where(owner.Or(positive.With(nil), titled.With(nil)))         // wrong
	_ = rawsql.Fragment[Account](titled)                                 // wrong
	_, _ = touch.Exec(ctx, db, team, nil)                                // wrong
	_, _ = touch.Exec(ctx, db, nil, nil)                                 // wrong
	_, _ = touch.Exec(ctx, db, UserID(1), nil)                           // wrong
	_, _ = rawsql.Statement[TeamID](touch).Query(ctx, db, team, nil)     // wrong
	_, _ = touch.Query(ctx, db, me)                                      // wrong
	_ = rawsql.Statement[UserID]{sql: "delete from accounts", short: ""} // wrong
}

// This is the way around, which docs must not deny.
func around[T ~string, R any](make func(T) rawsql.Fragment[R], text string) rawsql.Fragment[R] {
	return make(T(text))
}

var _ = func(text string) rawsql.Fragment[Account] { return around(rawsql.MustFragment[Account], text) }
