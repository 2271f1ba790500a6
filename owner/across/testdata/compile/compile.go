// Package compile is not meant to compile: each line marked "wrong" is a mistake that
// the types of package across must catch, and no other line is.
package compile

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/across"
)

var (
	audit = across.MustAudit("audit")
	all   = audit.MustStatement("all", "select 1")
)

func use(ctx context.Context, tx pgx.Tx, pool *pgxpool.Pool, conn *pgx.Conn, db owner.DB, text string, me owner.Scope[int64]) {
	_, _ = all.Exec(ctx, tx, text, "support", nil)
	_, _ = across.Query(ctx, tx, all, text, "support", nil, pgx.RowTo[int])

	_, _ = all.Exec(ctx, pool, "ann", "support", nil)                          // wrong
	_, _ = all.Exec(ctx, conn, "ann", "support", nil)                          // wrong
	_, _ = all.Exec(ctx, db, "ann", "support", nil)                            // wrong
	_, _ = all.Exec(ctx, tx, "ann", text, nil)                                 // wrong
	_, _ = all.Exec(ctx, tx, "ann", nil)                                       // wrong
	_, _ = all.Exec(ctx, tx, me, "support", nil)                               // wrong
	_, _ = across.Query(ctx, tx, all, "ann", text, nil, pgx.RowTo[int])        // wrong
	_, _ = across.Query(ctx, pool, all, "ann", "support", nil, pgx.RowTo[int]) // wrong
	_ = audit.MustStatement("all", text)                                       // wrong
	_ = audit.MustStatement(text, "select 1")                                  // wrong
	_, _ = audit.NewStatement("all", "select 1 where "+text)                   // wrong
	_ = across.Statement{name: "x"}                                            // wrong
}
