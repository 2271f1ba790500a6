package errs

// meaning is what a SQLSTATE says to the client by default.
type meaning struct {
	kind Kind
	code string // where the kind's own is too coarse
	text string
}

// meanings lists the SQLSTATEs that are not Internal. A client can mend what
// it sent, so class 22 is its fault only where the value came from outside as
// it is; what our own SQL computed (a division by zero, say) is ours.
//
// https://www.postgresql.org/docs/current/errcodes-appendix.html
var meanings = map[string]meaning{
	"22001": {kind: Invalid, code: "too_long", text: "A value is too long."},
	"22003": {kind: Invalid, code: "out_of_range", text: "A number is out of range."},
	"22004": {kind: Invalid},
	"22007": {kind: Malformed, code: "invalid_datetime", text: "A date or time is not valid."},
	"22008": {kind: Invalid, code: "invalid_datetime", text: "A date or time is not valid."},
	"22009": {kind: Invalid, code: "invalid_datetime", text: "A date or time is not valid."},
	"22018": {kind: Malformed},
	"2201B": {kind: Malformed, code: "invalid_pattern", text: "The pattern is not valid."},
	"2201W": {kind: Malformed, code: "invalid_page", text: "The page is not valid."},
	"2201X": {kind: Malformed, code: "invalid_page", text: "The page is not valid."},
	"22021": {kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},
	"22023": {kind: Malformed},
	"22024": {kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},
	"22P02": {kind: Malformed},
	"22P03": {kind: Malformed},
	"22P05": {kind: Malformed, code: "invalid_characters", text: "The text contains characters that cannot be stored."},

	"23000": {kind: Conflict},
	"23001": {kind: StillReferenced}, // PostgreSQL 18 for RESTRICT
	"23503": {kind: Conflict},        // unless its direction is known
	"23505": {kind: AlreadyExists},
	"23514": {kind: Invalid},
	"23P01": {kind: Conflict, code: "overlap", text: "This overlaps an existing item."},
	// 23502 is the client's fault only where a rule says that it sends the column.

	"40000": {kind: Contention},
	"40001": {kind: Contention},
	"40002": {kind: Conflict},
	"40003": {kind: OutcomeUnknown},
	"40P01": {kind: Contention},
}

const (
	codeNotNull    = "23502"
	codeForeignKey = "23503"
	codeRestrict   = "23001"
	codeCheck      = "23514"
)
