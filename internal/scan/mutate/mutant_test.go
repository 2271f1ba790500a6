package mutate_test

// A mutant is one of the programs with one mistake. The mistake is the replacement of
// old, which is once in the program, by new; several pairs are one mistake.
type mutant struct {
	name  string
	rule  string
	pairs []string // old, new, old, new
}

// shop is the sample with pgx and what sqlc writes.
var shop = []mutant{
	{"pool in a callback of sqlc", "RKV01", []string{"_, err = q.SetBalance(ctx, SetBalanceParams{ID: id", "_, err = s.SetBalance(ctx, SetBalanceParams{ID: id"}},
	{"pool for the write", "RKV01", []string{"if _, err := tx.Exec(ctx, \"update accounts", "if _, err := s.pool.Exec(ctx, \"update accounts"}},
	{"pool for the read", "RKV01", []string{"err = tx.QueryRow(ctx, \"select balance", "err = s.pool.QueryRow(ctx, \"select balance"}},
	{"pool in a retried function", "RKV01", []string{"tag, err := tx.Exec(ctx, \"update orders set status", "tag, err := s.pool.Exec(ctx, \"update orders set status"}},
	{"pool in a loop", "RKV01", []string{"if _, err := tx.Exec(ctx, \"update orders set open", "if _, err := s.pool.Exec(ctx, \"update orders set open"}},
	{"no transaction with sqlc", "RKV02", []string{"return s.inTx(ctx, func(q *Queries) error {\n\t\ta, err", "return func(q *Queries) error {\n\t\ta, err",
		"Balance: a.Balance + n})\n\t\treturn err\n\t})", "Balance: a.Balance + n})\n\t\treturn err\n\t}(New(s.pool))"}},
	{"no transaction", "RKV02", []string{"tx, err := s.pool.Begin(ctx)\n\tif err != nil {\n\t\treturn err\n\t}\n\tdefer tx.Rollback(context.WithoutCancel(ctx))\n\tvar balance", "tx := s.pool\n\tvar err error\n\tvar balance",
		"and balance > 0 returning id\", id, user, balance-n); err != nil {\n\t\treturn err\n\t}\n\treturn tx.Commit(ctx)", "returning id\", id, user, balance-n); err != nil {\n\t\treturn err\n\t}\n\treturn nil"}},
	{"no lock", "RKV03", []string{"user_id = $2 for update\", id, user)", "user_id = $2\", id, user)", " and balance > 0 returning id", " returning id"}},
	{"no lock in sqlc", "RKV03", []string{"and user_id = $2 for update`", "and user_id = $2`"}},
	{"commit ignored", "RKV04", []string{"balance-n); err != nil {\n\t\treturn err\n\t}\n\treturn tx.Commit(ctx)", "balance-n); err != nil {\n\t\treturn err\n\t}\n\ttx.Commit(ctx)\n\treturn nil"}},
	{"commit deferred", "RKV04", []string{"if err := fn(New(tx)); err != nil {\n\t\treturn err\n\t}\n\treturn tx.Commit(ctx)", "defer tx.Commit(ctx)\n\treturn fn(New(tx))"}},
	{"no rollback", "RKV05", []string{"defer tx.Rollback(context.WithoutCancel(ctx))\n\tif", "if"}},
	{"no rollback on one path", "RKV05", []string{"defer tx.Rollback(context.WithoutCancel(ctx))\n\tvar balance", "var balance"}},
	{"no reset", "RKV06", []string{"\t\tclosed = nil\n", ""}},
	{"mail in a retried function", "RKV06", []string{"tag, err := tx.Exec(ctx, \"update orders set status", "http.Get(\"http://mail/send\")\n\t\ttag, err := tx.Exec(ctx, \"update orders set status"}},
	{"goroutines in a loop", "RKV07", []string{"if _, err := tx.Exec(ctx, \"update orders set open = false where id = $1 and user_id = $2 returning id\", id, user); err != nil {\n\t\t\t\treturn err\n\t\t\t}",
		"go tx.Exec(ctx, \"update orders set open = false where id = $1 and user_id = $2 returning id\", id, user)"}},
	{"transaction kept", "RKV07", []string{"\t\tclosed = nil\n", "\t\tclosed = nil\n\t\ts.Queries.db = tx\n"}},
	{"value in SQL", "RKV08", []string{"where item = $1 and user_id = $2\", r.FormValue(\"item\"), 1)", "where user_id = $1 and item = '\"+r.FormValue(\"item\")+\"'\", 1)"}},
	{"value in SQL by Sprintf", "RKV08", []string{"\"select id from orders where item = $1 and user_id = $2\", r.FormValue(\"item\"), 1)", "fmt.Sprintf(\"select id from orders where item = '%s' and user_id = $1\", r.FormValue(\"item\")), 1)"}},
	{"no owner in SELECT", "RKV09", []string{"from accounts where id = $1 and user_id = $2 for update\", id, user)", "from accounts where id = $1 for update\", id)"}},
	{"no owner in sqlc", "RKV09", []string{"set balance = $3 where id = $1 and user_id = $2`", "set balance = $3 where id = $1 and $2 > 0`"}},
	{"no owner in INSERT", "RKV09", []string{"insert into orders (user_id, item, role) values ($1, $2, $3)\", o.UserID, o.Item, o.Role)", "insert into orders (item, role) values ($1, $2)\", o.Item, o.Role)"}},
	{"no owner in UPDATE", "RKV09", []string{"set open = false where id = $1 and user_id = $2 returning id\", id, user)", "set open = false where id = $1 returning id\", id)"}},
	{"error to the client", "RKV10", []string{"slog.Error(\"find\", \"err\", err)\n\t\thttp.Error(w, \"internal error\"", "http.Error(w, err.Error()"}},
	{"formatted error to the client", "RKV10", []string{"slog.Error(\"create\", \"err\", err)\n\t\thttp.Error(w, \"internal error\"", "http.Error(w, fmt.Sprintf(\"create: %v\", err)"}},
	{"rows affected ignored", "RKV11", []string{"tag, err := tx.Exec(ctx, \"update orders set status", "_, err := tx.Exec(ctx, \"update orders set status", "if tag.RowsAffected() == 0 {\n\t\t\treturn errGone\n\t\t}\n", ""}},
	{"statement while rows are open", "RKV12", []string{"ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])\n\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n\t\tfor _, id := range ids {", "defer rows.Close()\n\t\tfor rows.Next() {\n\t\t\tvar id int64\n\t\t\trows.Scan(&id)"}},
	{"retry without bound", "RKV13", []string{"return s.inTx(ctx, func(q *Queries) error {\n\t\ta, err", "again:\n\terr := s.inTx(ctx, func(q *Queries) error {\n\t\ta, err",
		"Balance: a.Balance + n})\n\t\treturn err\n\t})", "Balance: a.Balance + n})\n\t\treturn err\n\t})\n\tvar e *pgconn.PgError\n\tif errors.As(err, &e) && e.Code == \"40001\" {\n\t\tgoto again\n\t}\n\treturn err"}},
	{"%v", "RKV14", []string{"fmt.Errorf(\"pay: %w\", err)", "fmt.Errorf(\"pay: %v\", err)"}},
	{"%s", "RKV14", []string{"fmt.Errorf(\"pay: %w\", err)", "fmt.Errorf(\"pay: %s\", err)"}},
	{"limit checked first", "RKV15", []string{"\to.UserID = 1\n", "\to.UserID = 1\n\tvar n int\n\ts.store.pool.QueryRow(r.Context(), \"select count(*) from orders where user_id = $1\", o.UserID).Scan(&n)\n\tif n >= 100 {\n\t\treturn\n\t}\n"}},
	{"client sets the role", "RKV16", []string{"Role   string `json:\"-\"`", "Role   string `json:\"role\"`"}},
	{"client sets the owner", "RKV16", []string{"UserID int64  `json:\"-\"`", "UserID int64  `json:\"user_id\"`", "\to.UserID = 1\n", ""}},
	{"background", "RKV17", []string{"pool.Query(r.Context()", "pool.Query(context.Background()"}},
}

// bank is examples/bank.
var bank = []mutant{
	{"token in SQL", "RKV08", []string{"\"select id from users where token_hash = $1\", hash[:])", "\"select id from users where token = '\"+token+\"'\" + string(hash[:0]))"}},
	{"context of the request dropped", "RKV17", []string{"err := pool.QueryRow(r.Context(),", "err := pool.QueryRow(context.Background(),"}},
	{"pool in a transaction without retry", "RKV01", []string{"return pgx.BeginTxFunc(ctx, pool, serializable, func(tx pgx.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, tx)", "return pgx.BeginTxFunc(ctx, pool, serializable, func(tx pgx.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, pool)"}},
	{"pool in crdb", "RKV01", []string{"return crdbpgx.ExecuteTx(ctx, pool, serializable, func(tx pgx.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, tx)", "return crdbpgx.ExecuteTx(ctx, pool, serializable, func(tx pgx.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, pool)"}},
	{"pool in txn", "RKV01", []string{"func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, tx)", "func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, pool)"}},
	{"sleep in txn", "RKV06", []string{"func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n", "func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\ttime.Sleep(time.Second)\n"}},
	{"goroutine in txn", "RKV07", []string{"func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, tx)", "func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\tgo m.run(ctx, tx)\n\t\t\treturn nil"}},
	{"%v in txn", "RKV14", []string{"func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\treturn m.run(ctx, tx)", "func(ctx context.Context, tx *txn.Tx) error {\n\t\t\tattempted()\n\t\t\tif err := m.run(ctx, tx); err != nil {\n\t\t\t\treturn fmt.Errorf(\"move: %v\", err)\n\t\t\t}\n\t\t\treturn nil"}},
	{"accounts appended", "RKV06", []string{"func (b bank) openAccount(ctx context.Context, me owner.Scope[UserID], name string) (Account, error) {\n", "var opened []string\n\nfunc (b bank) openAccount(ctx context.Context, me owner.Scope[UserID], name string) (Account, error) {\n",
		"\t\ta := Account{Name: name}\n", "\t\ta := Account{Name: name}\n\t\topened = append(opened, name)\n"}},
	{"error of the bank to the client", "RKV10", []string{"\tlist, err := s.bank.listTransfers(r.Context(), me)\n\tif err != nil {\n\t\treturn err\n\t}", "\tlist, err := s.bank.listTransfers(r.Context(), me)\n\tif err != nil {\n\t\thttp.Error(w, err.Error(), 500)\n\t\treturn nil\n\t}"}},
	{"owner's count on the pool", "RKV01", []string{"type bank struct{ db *txn.Runner }", "type bank struct {\n\tdb   *txn.Runner\n\tpool *pgxpool.Pool\n}\n\nfunc (b bank) count(ctx context.Context, me owner.Scope[UserID]) error {\n\treturn txn.Run(ctx, b.pool, func(ctx context.Context, tx *txn.Tx) error {\n\t\t_, err := accounts.In(me).Count(ctx, b.pool)\n\t\treturn err\n\t})\n}",
		"bank{txn.New(pool)}", "bank{db: txn.New(pool)}", "\t\"slices\"\n\t\"time\"\n\n", "\t\"slices\"\n\t\"time\"\n\n\t\"github.com/jackc/pgx/v5/pgxpool\"\n"}},
}
