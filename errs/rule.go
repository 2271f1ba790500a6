package errs

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

// A Rule says what an error means to a client: the violation of a constraint
// ([Constraint], [PrimaryKey], [NotNull], [DomainNotNull]), an error raised by the
// application's SQL ([SQLState]), or an error of its Go code ([Is], [As]). Its
// methods return a changed copy.
type Rule struct {
	constraint string // or:
	column     string // with table, or:
	domain     string // or:
	state      string // or:
	hint       string // of state, if only with that hint
	match      func(error) bool
	target     any      // the target of match
	matchName  string   // the same, for messages
	wrong      string   // a mistake in the arguments of the constructor
	table      string   // of constraint, if only in that table
	key        []string // columns of a primary key
	columns    []string // of a foreign key
	reply      *reply   // of all but foreign keys
	missing    *reply   // of a foreign key: the row points at nothing
	inUse      *reply   // of a foreign key: others point at the row
	kind       Kind     // overrides the default if kinded
	kinded     bool
	status     int // 0: that of the kind
}

type reply struct{ code, field, message string }

// Constraint returns a rule for the constraint or unique index of that name: a
// unique, check or exclusion constraint with [Rule.Code], a foreign key with
// [Rule.Missing] and [Rule.InUse]. For a primary key use [PrimaryKey].
func Constraint(name string) Rule { return Rule{constraint: name} }

// PrimaryKey returns a rule for a table's primary key with the name that the database
// gives it, such as accounts_pkey. CockroachDB before 21.2 calls every primary key
// "primary" and does not name the table. There the rule applies only if it has
// columns that are those of the key, in order, and no other rule has the same ones.
// Name the columns only if no other table has a primary key of the same ones.
func PrimaryKey(table string, columns ...string) Rule {
	r := Rule{constraint: table + rules.PrimaryKeySuffix, table: table, key: slices.Clone(columns)}
	switch {
	case table == "":
		r.constraint = ""
	case len(r.constraint) > rules.MaxIdentifierLength:
		r.wrong = "PostgreSQL shortens the constraint's name: use Constraint with the one that it has"
	}
	return r
}

// NotNull returns a rule for a NOT NULL column that the client sends. A NULL in any
// other column is the service's own fault: Internal.
func NotNull(table, column string) Rule { return Rule{table: table, column: column} }

// DomainNotNull is like NotNull for a domain of PostgreSQL that is NOT NULL. The
// server then names neither table nor column.
func DomainNotNull(domain string) Rule { return Rule{domain: domain} }

// SQLState returns a rule for a SQLSTATE that the application defines and raises,
// such as "OW001" by RAISE EXCEPTION ... USING ERRCODE = 'OW001'. It needs
// [Rule.Kind]. A standard SQLSTATE is accepted if it is of class 22, 44, 54 or P0,
// whose meaning depends on the application's SQL, or if it is 42601, for which the
// rule applies to values with a syntax of their own and never to SQL. Others concern
// all tables or the service itself, and are refused.
//
// An error raised with USING CONSTRAINT = '...' may have a rule by [Constraint]
// instead, which is Invalid unless its Kind says otherwise (CockroachDB does not send
// the name). One raised with USING HINT = '...' may have a rule narrowed by
// [Rule.Hint].
func SQLState(state string) Rule {
	r := Rule{state: state}
	switch {
	case state == "":
	case !isState(state):
		r.wrong = "a SQLSTATE has five characters of 0-9 and A-Z"
	case state[:2] == "00" || state[:2] == "01" || state[:2] == "02":
		r.wrong = "a class from 00 to 02 is no error"
	case !raisable(state):
		r.wrong = fmt.Sprintf("it is %s, which this package knows already", states[state].name)
	}
	return r
}

// Is returns a rule for errors that match target by errors.Is. It needs [Rule.Kind].
// An [*Error] that is reached first in the chain takes precedence.
func Is(target error) Rule {
	r := Rule{target: target, matchName: fmt.Sprintf("Is(%T)", target)}
	if target == nil {
		r.matchName, r.wrong = "Is(nil)", "there is no target"
		r.match = func(error) bool { return false }
		return r
	}
	if !reflect.TypeOf(target).Comparable() {
		r.target, r.wrong = reflect.TypeOf(target), "the target is of a type that cannot be compared"
	}
	r.match = func(err error) bool {
		if err == target {
			return true
		}
		is, ok := err.(interface{ Is(error) bool })
		return ok && is.Is(target)
	}
	return r
}

// As returns a rule for errors of type T, found by errors.As. It needs [Rule.Kind].
// Database errors have rules of their own.
func As[T error]() Rule {
	t := reflect.TypeFor[T]()
	r := Rule{target: t, matchName: "As[" + t.String() + "]()"}
	switch t {
	case reflect.TypeFor[error]():
		r.wrong = "every error is of that type"
	case reflect.TypeFor[*pgconn.PgError]():
		r.wrong = "use Constraint, NotNull or SQLState for database errors"
	case reflect.TypeFor[*Error]():
		r.wrong = "an *errs.Error is understood already"
	}
	r.match = func(err error) bool {
		if _, ok := err.(T); ok {
			return true
		}
		as, ok := err.(interface{ As(any) bool })
		var t T
		return ok && as.As(&t)
	}
	return r
}

// On narrows a rule to one table. PostgreSQL requires the name of a check or foreign
// key constraint to be unique only within its table. CockroachDB does not name the
// table; if several rules would apply there, none does.
func (r Rule) On(table string) Rule {
	if r.constraint == "" || r.key != nil {
		r.wrong = "On is for Constraint"
	}
	r.table = table
	return r
}

// Columns sets the columns of a foreign key, for errors that know these and not its
// name: owner.ErrReference. It needs [Rule.On]. It is not needed for a constraint
// with the name that the database gives it, such as orders_customer_id_fkey. The
// owner's column may be left out.
func (r Rule) Columns(columns ...string) Rule {
	if r.constraint == "" || r.table == "" || r.key != nil || len(columns) == 0 || slices.Contains(columns, "") {
		r.wrong = "Columns is for Constraint with On, and has names"
	}
	r.columns = slices.Clone(columns)
	return r
}

// Hint narrows a rule by [SQLState] to errors with exactly that hint, for example to
// those that RAISE EXCEPTION ... USING HINT = 'account_closed' raises as P0001.
func (r Rule) Hint(hint string) Rule {
	if r.state == "" || hint == "" {
		r.wrong = "Hint is for SQLState, and not empty"
	}
	r.hint = hint
	return r
}

// Code sets the name for machines. Every rule needs one, except for a foreign key.
func (r Rule) Code(code string) Rule { return r.with(func(p *reply) { p.code = code }) }

// Field sets the JSON Pointer to the part of the request at fault. By default none is
// named.
func (r Rule) Field(pointer string) Rule { return r.with(func(p *reply) { p.field = pointer }) }

// Message sets the public text. The default is that of the kind.
func (r Rule) Message(text string) Rule { return r.with(func(p *reply) { p.message = text }) }

// Kind sets the kind of the error. The default is the kind of its SQLSTATE. A rule by
// [SQLState], [Is] or [As] needs one.
func (r Rule) Kind(k Kind) Rule {
	r.kind, r.kinded = k, true
	return r
}

// Status sets an HTTP status from 400 to 599 instead of the kind's.
func (r Rule) Status(status int) Rule {
	r.status = status
	if err := checkStatus(status); err != nil {
		r.wrong = err.Error()
	}
	return r
}

// Missing sets the response if a row points at nothing: code, JSON Pointer and public
// text, of which the last two may be empty. It also applies to a 23503 that a trigger
// raises with USING CONSTRAINT = '...', if the rule has no InUse.
func (r Rule) Missing(code, field, message string) Rule {
	r.missing = &reply{code, field, message}
	return r
}

// InUse sets the response if a row cannot be deleted or changed because others point
// at it: code and public text, which may be empty.
func (r Rule) InUse(code, message string) Rule {
	r.inUse = &reply{code: code, message: message}
	return r
}

func (r Rule) with(change func(*reply)) Rule {
	var p reply
	if r.reply != nil {
		p = *r.reply
	}
	change(&p)
	r.reply = &p
	return r
}

// name returns the call that made the rule. No two rules of a catalog have the same
// name, apart from those by Is, which differ by their targets.
func (r Rule) name() string {
	switch {
	case r.match != nil:
		return r.matchName
	case r.hint != "" && r.state != "":
		return fmt.Sprintf("SQLState(%q).Hint(%q)", r.state, r.hint)
	case r.state != "":
		return fmt.Sprintf("SQLState(%q)", r.state)
	}
	return rules.Rule{Constraint: r.constraint, Column: r.column, Domain: r.domain, Table: r.table}.Name()
}

// identity is equal for rules of which a catalog can have only one.
func (r Rule) identity() any {
	if r.match != nil {
		return r.target
	}
	return r.name()
}

func (r Rule) problems() (found []string) {
	report := func(format string, args ...any) { found = append(found, r.name()+": "+fmt.Sprintf(format, args...)) }
	byCause := r.match != nil || r.state != ""
	if r.wrong != "" {
		report("%s", r.wrong)
	}
	if r.constraint == "" && (r.column == "" || r.table == "") && r.domain == "" && !byCause {
		report("a name is empty")
	}
	foreignKey := r.missing != nil || r.inUse != nil
	switch {
	case r.constraint == "" && foreignKey:
		report("Missing and InUse are for foreign keys")
	case foreignKey && (r.reply != nil || r.kinded || r.status != 0):
		report("Code, Field, Message, Kind and Status are for other constraints, Missing and InUse for foreign keys: use one of the two")
	case r.columns != nil && !foreignKey:
		report("Columns is for foreign keys")
	case r.reply == nil && !foreignKey:
		report("it has no Code, Missing or InUse")
	}
	switch {
	case r.kinded && r.kind.Kind() != r.kind:
		report("its Kind is unknown")
	case !r.kinded && byCause && r.wrong == "":
		report("it has no Kind")
	}
	for _, p := range []*reply{r.reply, r.missing, r.inUse} {
		if p == nil {
			continue
		}
		if err := checkCode(p.code); err != nil {
			report("%v", err)
		}
		if p.field != "" {
			if err := checkPointer(p.field); err != nil {
				report("%v", err)
			}
		}
	}
	return found
}
