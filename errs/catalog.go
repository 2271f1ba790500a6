package errs

import (
	"fmt"
	"log/slog"
	"strings"
)

// Rule says what the violation of one constraint means to a client. Make one
// with [Constraint] or [NotNull]. Its methods return a changed copy.
type Rule struct {
	constraint string // or:
	column     string
	table      string
	reply      *reply // of a unique, check, exclusion or not-null constraint
	missing    *reply // of a foreign key: the row points at nothing
	inUse      *reply // of a foreign key: others point at the row
}

type reply struct{ code, field, message string }

// Constraint makes a rule for the constraint (or unique index) of that name: a
// unique, check or exclusion constraint with [Rule.Code], a foreign key with
// [Rule.Missing] and [Rule.InUse].
func Constraint(name string) Rule { return Rule{constraint: name} }

// NotNull makes a rule for a column that may not be NULL and that the client
// sends. A NULL in any other column is the service's own fault: Internal.
func NotNull(table, column string) Rule { return Rule{table: table, column: column} }

// On narrows a rule to one table. PostgreSQL wants the name of a check or
// foreign key constraint to be unique for its table only. CockroachDB does not
// say which table it was; where several rules would fit then, none is used.
func (r Rule) On(table string) Rule {
	r.table = table
	return r
}

// Code sets the name for machines. Every rule but a foreign key's needs one.
func (r Rule) Code(code string) Rule { return r.with(func(p *reply) { p.code = code }) }

// Field sets the JSON Pointer to the part of the request that is at fault. The
// default is that none is named.
func (r Rule) Field(pointer string) Rule { return r.with(func(p *reply) { p.field = pointer }) }

// Message sets the public text. The default is that of the kind.
func (r Rule) Message(text string) Rule { return r.with(func(p *reply) { p.message = text }) }

// Missing sets what is said when a row points at nothing: code, JSON Pointer
// and public text, of which the last two may be empty.
func (r Rule) Missing(code, field, message string) Rule {
	r.missing = &reply{code, field, message}
	return r
}

// InUse sets what is said when a row cannot be deleted or changed because
// others point at it: code and public text, which may be empty.
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

func (r Rule) name() string {
	switch {
	case r.column != "":
		return fmt.Sprintf("NotNull(%q, %q)", r.table, r.column)
	case r.table != "":
		return fmt.Sprintf("Constraint(%q).On(%q)", r.constraint, r.table)
	}
	return fmt.Sprintf("Constraint(%q)", r.constraint)
}

func (r Rule) problems() (found []string) {
	say := func(format string, args ...any) { found = append(found, r.name()+": "+fmt.Sprintf(format, args...)) }
	if r.constraint == "" && (r.column == "" || r.table == "") {
		say("a name is empty")
	}
	foreignKey := r.missing != nil || r.inUse != nil
	switch {
	case r.column != "" && foreignKey:
		say("Missing and InUse are for foreign keys")
	case r.reply != nil && foreignKey:
		say("Code, Field and Message are for other constraints, Missing and InUse for foreign keys: use one of the two")
	case r.reply == nil && !foreignKey:
		say("it has no Code, Missing or InUse")
	}
	for _, p := range []*reply{r.reply, r.missing, r.inUse} {
		if p == nil {
			continue
		}
		if err := checkCode(p.code); err != nil {
			say("%v", err)
		}
		if p.field != "" {
			if err := checkPointer(p.field); err != nil {
				say("%v", err)
			}
		}
	}
	return found
}

// Catalog knows what the constraints of a schema mean to clients. A nil
// *Catalog, like one without rules, has the defaults alone. It is safe for use
// by several goroutines.
type Catalog struct {
	constraints map[string][]Rule
	columns     map[string][]Rule
	logger      *slog.Logger
}

// NewCatalog makes a catalog. It is meant for a package variable, and panics
// with a list of every rule that makes no sense: without a name or code, with a
// field that is no JSON Pointer, or for the same constraint as another one.
func NewCatalog(rules ...Rule) *Catalog {
	c := &Catalog{constraints: map[string][]Rule{}, columns: map[string][]Rule{}}
	var problems []string
	for _, r := range rules {
		problems = append(problems, r.problems()...)
		index, key := c.constraints, r.constraint
		if r.column != "" {
			index, key = c.columns, r.column
		}
		for _, other := range index[key] {
			if other.table == r.table {
				problems = append(problems, r.name()+": it is there twice")
			}
		}
		index[key] = append(index[key], r)
	}
	if problems != nil {
		panic("errs.NewCatalog:\n\t" + strings.Join(problems, "\n\t"))
	}
	return c
}

// WithLogger returns a copy that logs to logger instead of [slog.Default].
func (c *Catalog) WithLogger(logger *slog.Logger) *Catalog {
	var copied Catalog
	if c != nil {
		copied = *c
	}
	copied.logger = logger
	return &copied
}

func (c *Catalog) log() *slog.Logger {
	if c == nil || c.logger == nil {
		return slog.Default()
	}
	return c.logger
}

// pick finds the rule for a table; table is "" where the server did not say.
func pick(rules []Rule, table string) (rule Rule, ok bool) {
	for _, r := range rules {
		switch {
		case table != "" && r.table == table:
			return r, true
		case r.table == "", table == "" && len(rules) == 1:
			rule, ok = r, true
		}
	}
	return rule, ok
}
