// Package rawsql is the way out of package owner for SQL that its builders have no
// words for: conditions, which stay within the owner's rows, and whole statements,
// which are given the owner.
//
// It is a package of its own so that a reviewer finds every use of it by its
// import. Package owner does not import it.
//
// # Conditions
//
// A [Fragment] is a part of a condition, for every Where of package owner:
//
//	var Overdrawn = rawsql.MustFragment[Account](`balance < -@limit and name !~ '^test'`)
//
//	as, err := Accounts.In(me).Where(Overdrawn.With(rawsql.Args{"limit": 100})).All(ctx, db)
//
// It is put in parentheses behind the owner's own condition. The text cannot end
// them: its brackets and quotes are balanced, and it has no comments and no
// semicolon. It cannot look at other tables by a subquery: select, with, values
// and table are refused as words, so write timestamptz for timestamp with time
// zone, and "table" for a column of that name. It needs no @owner, and must not
// have it. Columns are named as in the database, and without their table, which
// some statements call by another name.
//
// # Statements
//
// A [Statement] is one whole statement, run in a scope:
//
//	var Merge = rawsql.MustStatement[UserID](`update notes set topic = @to where user_id = @owner and topic = @from`)
//
//	n, err := Merge.Exec(ctx, tx, me, rawsql.Args{"from": "misc", "to": "rest"})
//
// It must have @owner, which the scope fills; with an [owner.Member] that is the
// user, and @tenant is needed too. Whether that keeps the statement to the owner's
// rows is for its author and reviewer to see: every table in it needs its own
// condition.
//
// # Text and parameters
//
// Text is a constant. A variable does not compile, so no value gets into the text
// by accident. Values are parameters, @name, given by [Args], each sent apart
// from the text. An argument that is missing, and one that has no parameter, are
// errors. A space, a comma or an opening bracket stands before the @: balance
// =@limit has the operator =@ in it and is refused, while the operators @> and <@
// are what they are. There is no $1, and no text in $$.
//
// What the two engines or their settings would read differently is refused too:
// prefixes of text other than E, a backslash before a quote in '…' without E, two
// texts in a row, letters beyond ASCII outside quotes.
//
// # What it promises
//
// It guards against accidents, not against intent. A generic function can convert
// a variable to the type of the text. A fragment can call a function that reads
// other tables. And the database may work out a condition for rows of other owners
// before it discards them: a cast or division that fails for one of those is an
// error for the caller. A Statement is outside the promise of package owner: it
// does what it says.
package rawsql
