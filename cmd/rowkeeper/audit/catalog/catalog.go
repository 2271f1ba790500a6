// Package catalog reads the schema of a live database into one model, for both engines.
//
// It does not read rows, nor what an ORM believes. Foreign and temporary tables, system
// schemas and members of extensions are left out; partitions are part of their parent.
// CockroachDB reports neither policies of row-level security nor triggers.
package catalog

import (
	"slices"
	"strings"
)

// The engines, as in config.Schema.
const (
	PostgreSQL  = "postgresql"
	CockroachDB = "cockroachdb"
)

// A Catalog is the schema of a database.
type Catalog struct {
	Engine   string
	Version  string // as the server describes itself
	Number   int    // 150018 for PostgreSQL 15.18, 210102 for CockroachDB v21.1.2
	Database string
	User     string // the role of the connection

	Tables    []*Table // by schema and name
	Left      []Left   // what was not read
	Views     []*View
	Sequences []*Sequence
	Settings  []*Setting
	Role      *Role // of Options.Role, or nil

	byID map[int64]*Table
}

// Left is a table that was left out, and why.
type Left struct{ Name, Reason string }

// Cockroach reports whether the server is CockroachDB.
func (c *Catalog) Cockroach() bool { return c.Engine == CockroachDB }

// ByID returns the table with that ID, or nil.
func (c *Catalog) ByID(id int64) *Table { return c.byID[id] }

// Index makes ByID find the tables. A catalog that was read is indexed.
func (c *Catalog) Index() {
	c.byID = make(map[int64]*Table, len(c.Tables))
	for _, t := range c.Tables {
		c.byID[t.ID] = t
	}
}

// Find returns the tables of that name: "accounts" in any schema, or "public.accounts".
func (c *Catalog) Find(name string) (found []*Table) {
	for _, t := range c.Tables {
		if t.Name == name || t.String() == name {
			found = append(found, t)
		}
	}
	return found
}

// A Table is a table, with its partitions if it has any.
type Table struct {
	ID           int64
	Schema, Name string
	Kind         string // as in pg_class: r or p (partitioned)
	Comment      string
	Owner        string  // a role
	Rows         float64 // as the planner estimates; negative if unknown
	Unlogged     bool

	RowSecurity, Forced bool // row-level security is on, and holds for the owner too

	Columns     []*Column     `db:"-"` // in their order
	Indexes     []*Index      `db:"-"` // by name
	ForeignKeys []*ForeignKey `db:"-"` // by name
	Checks      []*Check      `db:"-"` // by name
	Triggers    []*Trigger    `db:"-"` // by name
	Policies    []*Policy     `db:"-"` // by name

	names map[int16]string // of columns, by their numbers
}

// String returns "schema.table".
func (t *Table) String() string { return t.Schema + "." + t.Name }

// Partitioned reports whether it has partitions.
func (t *Table) Partitioned() bool { return t.Kind == "p" }

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	if i := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name }); i >= 0 {
		return t.Columns[i]
	}
	return nil
}

// Primary returns the primary key, or nil.
func (t *Table) Primary() *Index {
	if i := slices.IndexFunc(t.Indexes, func(i *Index) bool { return i.Primary }); i >= 0 {
		return t.Indexes[i]
	}
	return nil
}

// A Column is a column of a table.
type Column struct {
	Table   int64
	Number  int16
	Name    string
	Type    string // as the database writes it, with its length
	Base    string // the type, or the base type of its domain, without a length
	Enum    bool
	Comment string

	NotNull       bool // by itself or by its domain
	NotValid      bool // its NOT NULL holds for new rows only
	DomainChecked bool // its domain has a check

	HasDefault bool
	Default    string // an SQL expression
	Identity   bool
	Generated  bool
	Hidden     bool // of CockroachDB, which makes a key for a table without one
}

// Filled reports whether the database can fill the column by itself.
func (c *Column) Filled() bool { return c.HasDefault || c.Identity || c.Generated }

// An Index is an index, with or without a constraint of its name.
type Index struct {
	Table       int64
	Name        string
	Columns     []string // of the key; "" stands for an expression
	Expressions string   // the text of the expressions, if there are any

	Unique, Primary bool
	Predicate       string // of a partial index, or ""
	Deferrable      bool
	Exclusion       bool
	Valid           bool // of all rows
	Building        bool // not valid, and somebody may be about to make it so
	Constraint      string
}

// Enforces reports whether two rows with the same values in its columns are impossible.
func (i *Index) Enforces() bool { return i.Unique && i.Predicate == "" && i.Valid }

// Expression reports whether it has an expression in its key.
func (i *Index) Expression() bool { return slices.Contains(i.Columns, "") }

// A ForeignKey is a foreign key.
type ForeignKey struct {
	Table     int64
	Name      string
	Columns   []string
	To        int64 // the referenced table, and its columns
	ToColumns []string
	OnDelete  string // as in pg_constraint: a, r, c, n or d

	Validated, Enforced bool
}

// A Check is a check constraint, or a NOT NULL that is not valid.
type Check struct {
	Table               int64
	Name                string
	Definition          string // as after ADD CONSTRAINT
	Columns             []string
	NotNull             bool
	Validated, Enforced bool
}

// A Trigger is one that users made, or a disabled one that enforces a foreign key.
type Trigger struct {
	Table      int64
	Name       string
	Disabled   bool
	Constraint string // the foreign key that it enforces, or ""
	Writes     bool   // it runs before an insert or an update
}

// A Policy is a policy of row-level security.
type Policy struct {
	Table        int64
	Name         string
	Command      string // as in pg_policy: r, a, w, d or * for all
	Permissive   bool
	Roles        []string // "public" stands for all
	Using, Check string   // SQL expressions, or ""
}

// A View is a view, materialized or not.
type View struct {
	ID           int64
	Schema, Name string
	Comment      string
	Materialized bool
	Owner        string // a role
	Bypasses     bool   // no policy holds for its owner
	Invoker      bool   // it reads with the rights of whoever reads it
	Readers      []string
	Reads        []int64 // the tables and views that it reads
}

// String returns "schema.view".
func (v *View) String() string { return v.Schema + "." + v.Name }

// A Sequence is a sequence, and the column that owns it.
type Sequence struct {
	ID           int64
	Schema, Name string
	Type         string
	Max, Step    int64
	Last         int64 // 0 if it is not known or was never used
	Cycle        bool
	Table        int64 // of the column that it belongs to, or 0
	Column       string
}

// String returns "schema.sequence".
func (s *Sequence) String() string { return s.Schema + "." + s.Name }

// A Setting is a setting of the server, as the connection sees it.
type Setting struct{ Name, Value, Source string }

// Qualified returns a name of SQL, quoted if need be.
func Qualified(schema, name string) string { return Quote(schema) + "." + Quote(name) }

// Quote returns an identifier of SQL, quoted unless it is a plain word that is not
// likely to be reserved.
func Quote(name string) string {
	plain := name != "" && !reserved[name] && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) < 0 && (name[0] < '0' || name[0] > '9')
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteAll returns identifiers of SQL with commas between them.
func QuoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = Quote(n)
	}
	return strings.Join(quoted, ", ")
}

// The reserved words of either engine.
var reserved = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(`all analyse analyze and any array as asc asymmetric authorization between binary
		both case cast check collate collation column concurrently constraint create cross current_catalog current_date
		current_role current_schema current_time current_timestamp current_user default deferrable desc distinct do else
		end except exists extract false family fetch for foreign freeze from full grant group having ilike in index
		initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural
		not nothing notnull null offset on only or order outer overlaps overlay placing position primary references
		returning right role row select session_user similar some substring symmetric system_user table tablesample then to
		trailing treat trim true union unique user using values variadic verbose view virtual when where window with work`) {
		words[w] = true
	}
	return words
}()
