package owner

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A Table declares a table whose rows are of the struct type R and belong to
// owners of type O. Make one with [MustTable] or [NewTable]; it is safe for
// concurrent use.
type Table[R any, O comparable] struct {
	_   [0]func(R, O) // or Go would convert it to that of other types
	def *table
}

// In returns the statements on the rows of the scope's owner. They are all that
// a table can do.
func (t *Table[R, O]) In(scope Scope[O]) Scoped[R, O] {
	var s Scoped[R, O]
	s.scope = scope
	if t != nil {
		s.table = t.def
	}
	return s
}

// MustTable is [NewTable] for package variables: it panics instead of
// returning an error.
func MustTable[R any, O comparable](name string) *Table[R, O] {
	t, err := NewTable[R, O](name)
	if err != nil {
		panic(err)
	}
	return t
}

// NewTable declares the table of that name, "table" or "schema.table". Names
// are quoted, so upper and lower case are as given.
//
// The columns are the fields of R with a tag db:"column". Fields tagged db:"-"
// and unexported fields are left alone; the fields of an embedded struct
// without a db tag are taken as if they were R's own. A second tag, owner, says
// in words that commas separate what is special about a column:
//
//	owner    holds the owner; exactly one column, of type O
//	pk       part of the primary key; left out of INSERT when zero
//	default  has a default; left out of INSERT when zero
//	server   set by the service, never from a client's patch; no effect on Set
//
// The key that [Select.Get] and others take has one value for each pk column
// that is not the owner, in the order of the fields. At least one column must
// be a pk.
//
// An error names everything that is wrong with the declaration.
func NewTable[R any, O comparable](name string) (*Table[R, O], error) {
	row, own := reflect.TypeFor[R](), reflect.TypeFor[O]()
	t := &table{name: name}
	var problems []string
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf(format, args...))
	}

	parts := strings.Split(name, ".")
	if len(parts) > 2 || slices.Contains(parts, "") {
		problem(`the name must be "table" or "schema.table"`)
	}
	if slices.ContainsFunc(parts, func(part string) bool { return len(part) > maxIdentifier }) {
		problem("the name is longer than %d bytes, of which PostgreSQL keeps no more", maxIdentifier)
	}
	t.quoted = pgx.Identifier(parts).Sanitize()

	if reason := unfitType(own); reason != "" {
		problem("%s", reason)
	}
	if row.Kind() != reflect.Struct {
		problem("the row type must be a struct")
	} else {
		t.addFields(row, nil, problem)
		t.checkColumns(own, problem)
	}
	if problems != nil {
		return nil, misuse("table %q of %s:\n\t%s", name, row, strings.Join(problems, "\n\t"))
	}

	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.quoted
	}
	t.list = strings.Join(names, ", ")
	return &Table[R, O]{def: t}, nil
}

// maxIdentifier is PostgreSQL's, in bytes: NAMEDATALEN - 1.
const maxIdentifier = 63

// table is what a declaration says, whatever the types.
type table struct {
	name    string // for messages
	quoted  string
	columns []*column
	owner   *column
	key     []*column // the primary key without the owner
	list    string    // all columns, as in a SELECT
}

type column struct {
	table  string // for messages
	name   string
	quoted string
	field  string // for messages
	index  []int
	typ    reflect.Type
	owner  bool
	pk     bool
	server bool
	dfault bool
}

func (c *column) String() string { return c.table + "." + c.name }

func (t *table) addFields(row reflect.Type, index []int, problem func(string, ...any)) {
	for i := range row.NumField() {
		f := row.Field(i)
		at := append(slices.Clone(index), i)
		name, tagged := f.Tag.Lookup("db")
		words, special := f.Tag.Lookup("owner")
		switch {
		case name == "-":
		case !tagged && f.Anonymous && f.Type.Kind() == reflect.Struct && !special:
			t.addFields(f.Type, at, problem)
		case !tagged && f.Anonymous && f.Type.Kind() == reflect.Pointer:
			problem("field %s: embed the struct itself, not a pointer", f.Name)
		case !tagged && !f.IsExported() && !special:
		case !f.IsExported():
			problem("field %s: it has tags, but is not exported", f.Name)
		case !tagged:
			problem(`field %s: add a tag db:"column", or db:"-" if it is no column`, f.Name)
		case strings.TrimSpace(name) == "":
			problem("field %s: the db tag names no column", f.Name)
		case len(name) > maxIdentifier:
			problem("field %s: the column's name is longer than %d bytes, of which PostgreSQL keeps no more", f.Name, maxIdentifier)
		case strings.Contains(name, ","):
			problem("field %s: the db tag %q must be a column's name alone", f.Name, name)
		case f.Type.Size() == 0:
			problem("field %s: type %s cannot hold a value", f.Name, f.Type)
		default:
			c := &column{
				table: t.name, name: name, quoted: pgx.Identifier{name}.Sanitize(),
				field: f.Name, index: at, typ: f.Type,
			}
			if special {
				if err := c.parse(words); err != nil {
					problem("field %s: %s", f.Name, err)
				}
			}
			t.columns = append(t.columns, c)
		}
	}
}

func (c *column) parse(words string) error {
	for word := range strings.SplitSeq(words, ",") {
		switch word = strings.TrimSpace(word); word {
		case "owner":
			c.owner = true
		case "pk":
			c.pk = true
		case "server":
			c.server = true
		case "default":
			c.dfault = true
		default:
			return fmt.Errorf("unknown word %q in the owner tag; the known ones are owner, pk, server, default", word)
		}
	}
	if c.owner && c.dfault {
		return errors.New("the owner is always inserted, so owner and default exclude each other")
	}
	return nil
}

func (t *table) checkColumns(own reflect.Type, problem func(string, ...any)) {
	fields := map[string]string{}
	pk := false
	for _, c := range t.columns {
		if other, ok := fields[c.quoted]; ok {
			problem("fields %s and %s: both are column %q", other, c.field, c.name)
		}
		fields[c.quoted] = c.field
		pk = pk || c.pk
		switch {
		case c.owner && t.owner != nil:
			problem("fields %s and %s: both are the owner", t.owner.field, c.field)
		case c.owner:
			t.owner = c
			if c.typ != own {
				problem("field %s: it is of type %s, but the table is declared for owners of type %s", c.field, c.typ, own)
			}
		case c.pk:
			t.key = append(t.key, c)
		}
	}
	if t.owner == nil {
		problem(`no field is the owner: add a tag owner:"owner"`)
	}
	if !pk {
		problem(`no field is the primary key: add a tag owner:"pk"`)
	}
}
