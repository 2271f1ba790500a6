package sqltext

import (
	"fmt"
	"strconv"
	"strings"
)

// Expectation is how many rows a statement must change.
type Expectation struct {
	Rows int64
	SQL  string
}

const (
	expectationOpen  = "with rowkeeper_changed as (\n"
	expectationMark  = "rowkeeper changed rows: "
	expectationClose = "\nreturning 1) select case when count(*) = %d then 0 else cast('" + expectationMark +
		"' || cast(count(*) as text) as bigint) end from rowkeeper_changed"
)

// Statement returns a statement that fails, with the number of rows in the error, if
// the one expected changes another number of rows. The failure is a cast of text, so it
// cannot be mistaken for an error of that statement itself.
func (e *Expectation) Statement() string {
	return expectationOpen + strings.TrimRight(e.SQL, "; \t\r\n") + fmt.Sprintf(expectationClose, e.Rows)
}

// Unexpected returns the number of rows in the message of such an error, and whether it
// is one.
func Unexpected(message string) (rows int64, is bool) {
	_, after, found := strings.Cut(message, expectationMark)
	if !found {
		return 0, false
	}
	digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
	rows, err := strconv.ParseInt(after[:digits], 10, 64)
	return rows, err == nil
}
