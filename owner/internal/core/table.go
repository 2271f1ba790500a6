package core

import (
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
)

// A Table is the declaration of a table, or of a view. It does not change once it is
// declared, except that a Forward completes it.
type Table struct {
	Name       string // for error messages
	Row        reflect.Type
	Quoted     string
	Ref        string    // qualifies columns if the table has no alias
	Columns    []*Column // all
	Readable   []*Column // all but the hidden ones
	OwnerTypes []reflect.Type
	Owners     []*Column // tenant and owner, or the owner alone; empty if through or shared
	Key        []*Column // the primary key without the owner
	Version    *Column   // nil if there is none
	Through    *Table    // the parent table, or nil
	Parent     []*Column // the columns that hold the key of Through
	Shared     bool
	View       *View        // nil if it is a table
	References []*Reference // those that writes check; the parent is nil until it is declared
	Uniques    []*Unique

	list        string // the readable columns for a SELECT
	owned       string // the owner's predicate
	selectAll   string // selects all rows of the owner
	selectByKey string // selects the owner's row with a key

	foreignKeys []*Reference // all: also to the parent, and those of a shared table
	open        atomic.Int32 // number of references to a Forward that nothing defines yet
}

// BaseName returns the name without its schema.
func (t *Table) BaseName() string { return t.Name[strings.Index(t.Name, ".")+1:] }

func list(prefix string, columns []*Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = prefix + c.Quoted
	}
	return strings.Join(names, ", ")
}

// ownedBy returns the condition that a row of t is the owner's. The owner's values
// are the parameters from number first. If the table has an alias, prefix is the
// alias and a dot.
func (t *Table) ownedBy(prefix string, first int) string {
	return t.ownedWithin(prefix, first, 1, "")
}

func (t *Table) ownedWithin(prefix string, first, depth int, lock string) string {
	switch {
	case t.Shared:
		return "true"
	case t.Through != nil:
		if prefix == "" {
			prefix = t.Ref
		}
		alias := "_" + strings.Repeat("p", depth)
		text := "exists (select 1 from " + t.Through.Quoted + " as " + alias + " where "
		for i, c := range t.Parent {
			text += alias + "." + t.Through.Key[i].Quoted + " = " + prefix + c.Quoted + " and "
		}
		return text + t.Through.ownedWithin(alias+".", first, depth+1, lock) + lock + ")"
	}
	text := ""
	for i, c := range t.Owners {
		if i > 0 {
			text += " and "
		}
		text += prefix + c.Quoted + " = $" + strconv.Itoa(first+i)
	}
	return text
}
