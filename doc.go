// Package rowkeeper is the overview of a library that keeps data right in Go
// services on CockroachDB and PostgreSQL. It has no code of its own. Adopt its
// three packages one at a time; existing services and handler bodies stay:
//
//   - [github.com/rowkeeper/rowkeeper/txn] runs a function in a transaction,
//     retries it after conflicts and lost connections, and reports truthfully
//     whether it was committed;
//   - [github.com/rowkeeper/rowkeeper/owner] builds queries that cannot leave
//     the caller's rows, and refuses everything unscoped;
//   - [github.com/rowkeeper/rowkeeper/errs] turns database errors into errors
//     that are safe to show: the right 4xx, or an honest 5xx.
//
// They do not import each other. Together they make a handler:
//
//	func (s *server) deposit(w http.ResponseWriter, r *http.Request) error {
//		me, err := owner.FromContext[UserID](r.Context())
//		if err != nil {
//			return err
//		}
//		// …
//		return txn.Run(r.Context(), s.pool, func(ctx context.Context, tx *txn.Tx) error {
//			return Accounts.In(me).Update(id).Set(Balance.Add(amount)).Exec(ctx, tx)
//		})
//	}
//
//	http.Handle("POST /accounts/{id}/deposit", catalog.Handler(s.deposit))
//
// # Problems it solves
//
// A read followed by a write, without a transaction, loses updates. A
// serialization failure is answered with 500, or is retried blindly and applied
// twice. An id in a path reaches a stranger's account. A constraint violation
// shows SQL to the client.
//
// # Guarantees
//
// A result is returned only after a known commit. An error means that nothing
// was committed, unless it is a [github.com/rowkeeper/rowkeeper/txn.OutcomeUnknownError]
// or a [github.com/rowkeeper/rowkeeper/txn.CommittedError]. Transactions are
// SERIALIZABLE by default. No statement built by owner touches another owner's
// row. No text of the database reaches a client.
//
// The command in examples/bank is a complete service that uses all three.
package rowkeeper
