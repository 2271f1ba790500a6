package txn

import (
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
)

// checkParameters refuses more arguments than a message can hold. For a batch or a
// pipeline pgx would notice only while writing, and close the connection; for a
// statement that must be described first, the server would. If the mode is unknown,
// behind a wrapper, pgx decides.
func (a *attempt) checkParameters(args []any) error {
	if len(args) <= math.MaxUint16 {
		return nil
	}
	var mode pgx.QueryExecMode
	switch {
	case a.session != nil:
		mode = a.session.Mode()
	case a.conn != nil:
		mode = a.conn.Config().DefaultQueryExecMode
	default:
		return nil
	}
	for len(args) > 0 {
		switch arg := args[0].(type) {
		case pgx.QueryExecMode:
			mode = arg
		case pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
		default:
			if len(args) > math.MaxUint16 && mode != pgx.QueryExecModeSimpleProtocol {
				return fmt.Errorf("extended protocol limited to %v parameters", math.MaxUint16)
			}
			return nil
		}
		args = args[1:]
	}
	return nil
}
