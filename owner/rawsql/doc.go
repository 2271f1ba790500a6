// Package rawsql adds SQL written by hand to package owner: conditions, which stay
// within the owner's rows, and whole statements, which receive the owner. A reviewer
// finds every use of it by its import; package owner does not import it.
//
//	package store
//
//	import (
//		"context"
//
//		"github.com/rowkeeper/rowkeeper/owner"
//		"github.com/rowkeeper/rowkeeper/owner/rawsql"
//	)
//
//	type UserID int64
//
//	var merge = rawsql.MustStatement[UserID](`update notes set topic = @to where user_id = @owner and topic = @from`)
//
//	func Merge(ctx context.Context, db owner.DB, me owner.Scope[UserID], from, to string) (int64, error) {
//		return merge.Exec(ctx, db, me, rawsql.Args{"from": from, "to": to})
//	}
//
// # Text and parameters
//
// Text is a constant. A variable does not compile, so no value gets into the text by
// accident. Values are parameters, @name, given by [Args] and sent apart from the
// text. A missing argument, and one without a parameter, are errors. Write a space, a
// comma or an opening bracket before the @: balance =@limit contains the operator =@
// and is refused, while the operators @> and <@ are accepted. There is no $1, and no
// text in $$.
//
// Text that the two engines or their settings would read differently is refused:
// prefixes of strings other than E, a backslash before a quote in '…' without E, two
// strings in a row, letters beyond ASCII outside quotes.
//
// # Limits
//
// The package guards against accidents, not against intent. A generic function can
// convert a variable to the type of the text, and a fragment can call a function that
// reads other tables. The database may evaluate a condition for rows of other owners
// before it discards them: a cast or division that fails for one of those is an error
// for the caller. A [Statement] is outside the promise of package owner: its author
// and reviewer see to it that every table in it has its own condition.
package rawsql
