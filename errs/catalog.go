package errs

import (
	"context"
	"log/slog"
	"slices"
	"strings"
)

// A Catalog holds rules that say what the constraints of a schema mean to clients. A
// nil *Catalog has the defaults alone, like one without rules. It is safe for
// concurrent use.
type Catalog struct {
	rules       []Rule            // all of them, in the order given
	constraints map[string][]Rule // by name
	columns     map[string][]Rule // NotNull, by column
	domains     map[string]Rule   // DomainNotNull
	states      map[string][]Rule // SQLState
	keys        []Rule            // PrimaryKey with columns
	causes      []Rule            // Is and As
	logger      *slog.Logger
	values      bool
	messages    func(ctx context.Context, code string) string
	partitions  *partitions // nil without WithPartitions
}

// NewCatalog returns a catalog of rules. It is meant for a package variable, and
// panics with a list of all wrong rules: those without a name or code, with a field
// that is not a JSON Pointer, with a status outside 400 to 599, or for the same
// constraint as another one.
func NewCatalog(rules ...Rule) *Catalog {
	check("errs.NewCatalog", rules)
	return new(Catalog).of(rules)
}

// With returns a copy with additional rules. Each replaces the catalog's rule for the
// same thing. It panics like [NewCatalog]. To compose rules kept as slices and refuse
// duplicates, use NewCatalog(append(users, orders...)...).
func (c *Catalog) With(rules ...Rule) *Catalog {
	check("errs.Catalog.With", rules)
	copied := c.clone()
	kept := slices.DeleteFunc(slices.Clone(copied.rules), func(old Rule) bool {
		return slices.ContainsFunc(rules, func(r Rule) bool { return r.identity() == old.identity() })
	})
	return copied.of(append(kept, rules...))
}

func check(who string, rules []Rule) {
	var problems []string
	seen := map[any]bool{}
	for _, r := range rules {
		problems = append(problems, r.problems()...)
		if id := r.identity(); seen[id] {
			problems = append(problems, r.name()+": it is there twice")
		} else {
			seen[id] = true
		}
	}
	if problems != nil {
		panic(who + ":\n\t" + strings.Join(problems, "\n\t"))
	}
}

// of sets the rules of a catalog that is not shared yet.
func (c *Catalog) of(rules []Rule) *Catalog {
	c.rules = slices.Clone(rules)
	c.constraints, c.columns = map[string][]Rule{}, map[string][]Rule{}
	c.domains, c.states = map[string]Rule{}, map[string][]Rule{}
	c.keys, c.causes = nil, nil
	for _, r := range c.rules {
		switch {
		case r.match != nil:
			c.causes = append(c.causes, r)
		case r.state != "":
			c.states[r.state] = append(c.states[r.state], r)
		case r.domain != "":
			c.domains[r.domain] = r
		case r.column != "":
			c.columns[r.column] = append(c.columns[r.column], r)
		default:
			c.constraints[r.constraint] = append(c.constraints[r.constraint], r)
			if len(r.key) > 0 {
				c.keys = append(c.keys, r)
			}
		}
	}
	return c
}

func (c *Catalog) clone() *Catalog {
	var copied Catalog
	if c != nil {
		copied = *c
	}
	return &copied
}

// WithLogger returns a copy that logs to logger instead of [slog.Default].
func (c *Catalog) WithLogger(logger *slog.Logger) *Catalog {
	copied := c.clone()
	copied.logger = logger
	return copied
}

// WithValues returns a copy whose errors also log the texts of their causes, and
// message, detail, hint and where of a database error. These hold values of rows and
// of arguments: use it in development, or if logs are kept as safe as the database.
// See [Error.LogValue].
func (c *Catalog) WithValues() *Catalog {
	copied := c.clone()
	copied.values = true
	return copied
}

func (c *Catalog) log() *slog.Logger {
	if c == nil || c.logger == nil {
		return slog.Default()
	}
	return c.logger
}

// pick finds the rule for a table; table is "" if the server did not name it.
func pick(rules []Rule, table string) (found *Rule) {
	for i := range rules {
		switch r := &rules[i]; {
		case table != "" && r.table == table:
			return r
		case r.table == "", table == "" && len(rules) == 1:
			found = r
		}
	}
	return found
}
