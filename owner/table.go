package owner

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/strictjson"
	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// A Table declares a table whose rows are of the struct type R and belong to owners
// of type O. Make one with [MustTable]. It is safe for concurrent use.
//
// The owner is the first condition of every statement, and all others are ANDed to it
// in parentheses; each further table in a statement has its own. Names come from the
// declaration and are quoted, and values are always parameters. The text of a
// statement depends only on its shape, so prepared statements are reused.
type Table[R any, O comparable] struct {
	_   [0]func(R, O) // prevents conversion between instantiations
	def *table
}

// In returns the statements on the rows of the scope's owner. There are no others,
// apart from those of a [Grant].
func (t *Table[R, O]) In(scope Scope[O]) Scoped[R, O] {
	var s Scoped[R, O]
	s.q.id = scope.id
	if t != nil {
		s.q.table = t.def
	}
	return s
}

// MustTable declares the table of that name, "table" or "schema.table". Names are
// quoted, so their case matters. Declare it once, as a package variable:
//
//	var Orders = owner.MustTable[Order, UserID]("orders",
//		owner.Unique(func(o *Order) any { return &o.Number }),
//		owner.References(Coupons, func(o *Order) any { return &o.Coupon }))
//
// The columns are the fields of R with a tag db:"column". Fields tagged db:"-" and
// unexported fields are ignored. The fields of an embedded struct without a db tag
// count as fields of R. A second tag, owner, describes the column in words separated
// by commas:
//
//	owner    holds the owner; exactly one column, of type O
//	tenant   holds the tenant, if O is a Member, whose user is the owner
//	pk       part of the primary key; left out of INSERT when zero, if it is the
//	         only such column that is not the owner or tenant; of several, each
//	         that the database fills needs the word default too
//	default  has a default; left out of INSERT when zero
//	version  counts the changes of the row: 1 when inserted, one more with each
//	         update; an integer; see Update.At
//	server   set by the service, never from a client's patch; see Table.Patch
//	hidden   like server, and not read either: the field stays zero in rows that
//	         are returned; only a View that says so reads it
//	parent   in tables made by MustThrough
//
// The key that [Select.Get] and others take has one value for each pk column that is
// not the owner or tenant, in the order of the fields. At least one column must be a
// pk.
//
// The type of the owner column decides which values are the same owner: citext,
// char(n), name and numeric(p,s) treat several texts or numbers as one.
//
// The options declare unique keys and references to other tables. Nothing adds to a
// declaration later, so every statement makes all its checks.
//
// If the declaration is wrong, MustTable panics with an error that names everything
// that is wrong with it.
func MustTable[R any, O comparable](name string, options ...TableOption[R]) *Table[R, O] {
	return &Table[R, O]{def: mustDeclare(name, &table{ownerTypes: ownerTypes[O]()}, options)}
}

// mustDeclare completes the declaration of t, or panics.
func mustDeclare[R any](name string, t *table, options []TableOption[R]) *table {
	t.name, t.row = name, reflect.TypeFor[R]()
	t.declare(func(d *declaration) { apply(d, options) })
	return t
}

// declare completes the declaration of a table that has a name and a type of its rows,
// or panics. It does not depend on that type, so the compiler builds it once.
func (t *table) declare(options func(*declaration)) {
	name, row := t.name, t.row
	d := &declaration{table: t}
	problem := d.problem

	parts := strings.Split(name, ".")
	if len(parts) > 2 || slices.Contains(parts, "") {
		problem(`the name must be "table" or "schema.table"`)
	}
	if slices.ContainsFunc(parts, func(part string) bool { return len(part) > identifier.Max }) {
		problem("the name is longer than %d bytes, of which PostgreSQL keeps no more", identifier.Max)
	}
	if strings.ContainsRune(name, 0) {
		problem("the name has a NUL in it, which no database keeps")
	}
	last := parts[len(parts)-1]
	if reserved(last) {
		problem("the name %s is one that statements give to parts of their own", last)
	}
	t.quoted, t.ref = pgx.Identifier(parts).Sanitize(), pgx.Identifier{last}.Sanitize()+"."

	for _, own := range t.ownerTypes {
		if reason := unfitType(own); reason != "" && t.through == nil {
			problem("%s", reason)
		}
	}
	if row.Kind() != reflect.Struct {
		problem("the row type must be a struct")
	} else {
		t.addFields(row, nil, 0, problem)
		for name, f := range strictjson.Fields(row) {
			for _, c := range t.columns {
				if slices.Equal(c.index, f.Index) {
					c.json = name
				}
			}
		}
		t.checkColumns(problem)
		if t.through != nil {
			t.foreignKeys = []*reference{{child: t, parent: t.through, from: t.parent}}
		}
		options(d)
	}
	if d.problems != nil {
		panic(misuse("table %q of %s:\n\t%s", name, row, strings.Join(d.problems, "\n\t")))
	}
	d.finish()

	for _, c := range t.columns {
		if !c.hidden {
			t.readable = append(t.readable, c)
		}
	}
	t.list = list("", t.readable)
	t.owned = t.ownedBy("", 1)
	t.selectAll = "select " + t.list + " from " + t.quoted + " where " + t.owned
	var byKey statement
	byKey.text(t.selectAll)
	byKey.and(t.key, len(t.ownerTypes)+1)
	t.selectByKey = byKey.sql.String()
}

// last returns the name without its schema.
func (t *table) last() string { return t.name[strings.Index(t.name, ".")+1:] }

func list(prefix string, columns []*column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.quoted
	}
	return strings.Join(names, ", ")
}

// reserved reports whether statements use the name for themselves: an underscore
// followed by digits, the letter p or one other letter.
func reserved(name string) bool {
	rest, ok := strings.CutPrefix(name, "_")
	return ok && rest != "" && (strings.Trim(rest, "0123456789") == "" || strings.Trim(rest, "p") == "" || rest == "n" || rest == "w")
}

// table is a declaration without its types.
type table struct {
	name       string // for error messages
	row        reflect.Type
	quoted     string
	ref        string    // qualifies columns if the table has no alias
	columns    []*column // all
	readable   []*column // all but the hidden ones
	ownerTypes []reflect.Type
	owners     []*column // tenant and owner, or the owner alone; empty if through or shared
	key        []*column // the primary key without the owner
	version    *column   // nil if there is none
	through    *table    // the parent table, or nil
	parent     []*column // the columns that hold through's key
	shared     bool
	view       *view // nil if it is a table

	list        string // the readable columns for a SELECT
	owned       string // the owner's predicate
	selectAll   string // selects all rows of the owner
	selectByKey string // selects the owner's row with a key

	references  []*reference // those that writes check
	foreignKeys []*reference // all: also to the parent, and those of a shared table
	uniques     []*unique
	open        atomic.Int32 // number of references to a Forward that nothing defines yet
}

// ownedBy returns the condition that a row of t is the owner's. The owner's values
// are the parameters from number first. If the table has an alias, prefix is the
// alias and a dot.
func (t *table) ownedBy(prefix string, first int) string {
	return t.ownedWithin(prefix, first, 1, "")
}

func (t *table) ownedWithin(prefix string, first, depth int, lock string) string {
	switch {
	case t.shared:
		return "true"
	case t.through != nil:
		if prefix == "" {
			prefix = t.ref
		}
		alias := "_" + strings.Repeat("p", depth)
		text := "exists (select 1 from " + t.through.quoted + " as " + alias + " where "
		for i, c := range t.parent {
			text += alias + "." + t.through.key[i].quoted + " = " + prefix + c.quoted + " and "
		}
		return text + t.through.ownedWithin(alias+".", first, depth+1, lock) + lock + ")"
	}
	text := ""
	for i, c := range t.owners {
		if i > 0 {
			text += " and "
		}
		text += prefix + c.quoted + " = $" + strconv.Itoa(first+i)
	}
	return text
}
