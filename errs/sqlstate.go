package errs

// sqlstate is a SQLSTATE with its default response.
type sqlstate struct {
	state string
	name  string // PostgreSQL's condition name, or CockroachDB's in the same style
	kind  Kind
	code  string // set if the kind's code is too coarse
	text  string // likewise
}

// SQLSTATEs whose code alone is not precise enough.
const (
	stateOutOfRange    = "22003"
	stateNotNull       = "23502"
	stateForeignKey    = "23503"
	stateRestrict      = "23001"
	stateCheck         = "23514"
	statePrivilege     = "42501"
	stateQueryCanceled = "57014"
	stateProtocol      = "08P01"
	stateCommitted     = "XXA00"
	stateFeature       = "0A000"
	stateData          = "22000"
	stateSyntax        = "42601"
	classIntegrity     = "23"
	classRaised        = "P0"
	severityFatal      = "FATAL"
	routineRowSecurity = "ExecWithCheckOptions"
	routineRaise       = "exec_stmt_raise"
	messageRowSecurity = "new row violates row-level security policy "
	messageBadArgument = "error in argument for $"
)

var states = index(sqlstates)

func index(list []sqlstate) map[string]sqlstate {
	m := make(map[string]sqlstate, len(list))
	for _, s := range list {
		m[s.state] = s
	}
	return m
}

// classes holds the kinds of future codes whose class is enough to tell whether the
// client is at fault. All others are Internal.
var classes = map[string]Kind{
	"08": Unavailable,
	"23": Conflict,
	"40": Contention,
	"53": Unavailable,
	"57": Unavailable,
}

func meaningOf(state string) sqlstate {
	if s, ok := states[state]; ok {
		return s
	}
	if !isState(state) {
		return sqlstate{}
	}
	return sqlstate{kind: classes[state[:2]]}
}

// isState reports whether s has the form of a SQLSTATE.
func isState(s string) bool {
	if len(s) != 5 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// raisable reports whether a rule by SQLSTATE makes sense: for codes that the
// application defines, and for those whose meaning depends on its own SQL: data (22),
// views with a check option (44), limits that a value can exceed (54), RAISE (P0) and
// the syntax of values (42601). The violation of a constraint needs a rule by its
// name, since its SQLSTATE covers every table. All other codes concern the service,
// the server or the outcome, which no client can change.
func raisable(state string) bool {
	if _, known := states[state]; !known {
		return true
	}
	switch state[:2] {
	case "22", "44", "54", "P0":
		return true
	}
	return state == stateSyntax
}
