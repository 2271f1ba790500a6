package sqlshape

import "strings"

// A Statement is the shape of one statement.
type Statement struct {
	Verb  string // "select", "insert", "update", "delete", or "" if it is another
	Known bool   // everything at the top level was understood

	Target Table   // of a write
	Tables []Table // of FROM, USING and JOIN, and the target

	Where   []Condition  // of WHERE and JOIN ... ON, joined by AND
	Set     []Assignment // of UPDATE, and of ON CONFLICT DO UPDATE
	Columns []string     // of INSERT
	Values  [][]Token    // of INSERT, the first row, by column
	List    [][]Token    // what SELECT returns

	Returning  bool
	Locks      bool // FOR UPDATE, FOR NO KEY UPDATE or FOR SHARE
	OnConflict bool
	With       bool   // it begins with WITH
	Limited    bool   // it has LIMIT or GROUP BY, so it is not one row for each match
	AllOwners  string // the reason of "rowkeeper:all-owners", or ""
}

// A Table of a statement.
type Table struct{ Schema, Name, Alias string }

// Called reports whether a qualifier means the table.
func (t Table) Called(name string) bool {
	return name == t.Alias || t.Alias == "" && name == t.Name
}

// A Column with its qualifier, both of which may be "".
type Column struct{ Table, Name string }

// A Condition is one conjunct. Unless it compares two simple operands, Op is "".
type Condition struct {
	Left  Column
	Op    string // "=", "<", "in", "is null", ...
	Right Operand
	Text  []Token
}

// An OperandKind tells what an Operand is.
type OperandKind int

// The kinds of operands.
const (
	Complex OperandKind = iota
	Parameter
	Constant
	OfColumn
)

// An Operand of a condition.
type Operand struct {
	Kind   OperandKind
	Param  string
	Column Column
}

// An Assignment of SET.
type Assignment struct {
	Column string
	Expr   []Token
}

const allOwners = "rowkeeper:all-owners"

// Parse reads a text. Text that it does not understand gives a Statement without Verb,
// or one that is not Known.
func Parse(text string) Statement {
	tokens, comments := Lex(text)
	var s Statement
	for _, comment := range comments {
		if _, reason, ok := strings.Cut(comment, allOwners); ok {
			s.AllOwners = strings.TrimSpace(reason)
		}
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].is(";") {
		tokens = tokens[:len(tokens)-1]
	}
	r := &reader{tokens: tokens, s: &s}
	s.Known = true
	r.statement()
	return s
}

type reader struct {
	tokens []Token
	s      *Statement
}

func (r *reader) peek(i int) Token {
	if i < len(r.tokens) {
		return r.tokens[i]
	}
	return Token{Kind: Punct}
}

func (r *reader) skip(words ...string) bool {
	for i, w := range words {
		if !r.peek(i).is(w) {
			return false
		}
	}
	r.tokens = r.tokens[len(words):]
	return true
}

// until returns the tokens up to one of the words outside of brackets.
func (r *reader) until(words ...string) []Token {
	depth := 0
	for i, t := range r.tokens {
		switch {
		case t.is("(") || t.is("["):
			depth++
		case t.is(")") || t.is("]"):
			depth--
		case depth == 0 && t.Kind == Word:
			for _, w := range words {
				if t.Text == w {
					part := r.tokens[:i]
					r.tokens = r.tokens[i:]
					return part
				}
			}
		case depth == 0 && t.is(";"):
			r.s.Known = false
		}
	}
	part := r.tokens
	r.tokens = nil
	return part
}

func (r *reader) statement() {
	if r.skip("with") {
		r.s.With, r.s.Known = true, false
		r.until("select", "insert", "update", "delete")
	}
	switch {
	case r.skip("select"):
		r.s.Verb = "select"
		r.selects()
	case r.skip("insert", "into"):
		r.s.Verb = "insert"
		r.insert()
	case r.skip("update"):
		r.s.Verb = "update"
		r.update()
	case r.skip("delete", "from"):
		r.s.Verb = "delete"
		r.delete()
	default:
		r.s.Known = false
	}
}

var selectEnd = []string{"from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "union", "intersect", "except"}

func (r *reader) selects() {
	r.skip("distinct")
	r.s.List = split(r.until(selectEnd...))
	if r.skip("from") {
		r.from(r.until(selectEnd[1:]...))
	}
	if r.skip("where") {
		r.conditions(r.until(selectEnd[2:]...))
	}
	for len(r.tokens) > 0 {
		switch {
		case r.skip("union"), r.skip("intersect"), r.skip("except"):
			r.s.Known = false
			return
		case r.peek(0).is("for"):
			lock := r.until("nothing")
			for _, t := range lock {
				if t.is("update") || t.is("share") {
					r.s.Locks = true
				}
			}
			return
		case r.peek(0).is("limit"), r.peek(0).is("group"), r.peek(0).is("fetch"):
			r.s.Limited = true
		}
		r.tokens = r.tokens[1:]
		r.until(selectEnd[2:]...)
	}
}

func (r *reader) update() {
	r.skip("only")
	r.s.Target = r.table()
	r.s.Tables = append(r.s.Tables, r.s.Target)
	if !r.skip("set") {
		r.s.Known = false
		return
	}
	r.s.Set = r.assignments(r.until("from", "where", "returning"))
	if r.skip("from") {
		r.from(r.until("where", "returning"))
	}
	r.tail()
}

func (r *reader) delete() {
	r.skip("only")
	r.s.Target = r.table()
	r.s.Tables = append(r.s.Tables, r.s.Target)
	if r.skip("using") {
		r.from(r.until("where", "returning"))
	}
	r.tail()
}

func (r *reader) tail() {
	if r.skip("where") {
		r.conditions(r.until("returning"))
	}
	r.s.Returning = r.skip("returning")
	if !r.s.Returning && len(r.tokens) > 0 {
		r.s.Known = false
	}
}

func (r *reader) insert() {
	r.s.Target = r.table()
	r.s.Tables = append(r.s.Tables, r.s.Target)
	if r.peek(0).is("(") && !r.peek(1).is("select") {
		for _, column := range split(r.group()) {
			name := ""
			if len(column) == 1 {
				name = column[0].name()
			}
			r.s.Columns = append(r.s.Columns, name)
		}
	}
	if r.skip("values") {
		if r.peek(0).is("(") {
			r.s.Values = split(r.group())
		}
		r.until("on", "returning")
	} else {
		r.s.Known = false // INSERT ... SELECT, DEFAULT VALUES
		r.until("on", "returning")
	}
	if r.skip("on", "conflict") {
		r.s.OnConflict = true
		r.until("do")
		if r.skip("do", "update", "set") {
			r.s.Set = r.assignments(r.until("where", "returning"))
		} else {
			r.skip("do", "nothing")
		}
		if r.skip("where") {
			r.until("returning")
		}
	}
	r.s.Returning = r.skip("returning")
}

// group returns the tokens within the brackets that come next.
func (r *reader) group() []Token {
	depth := 0
	for i, t := range r.tokens {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
			if depth == 0 {
				inner := r.tokens[1:i]
				r.tokens = r.tokens[i+1:]
				return inner
			}
		}
	}
	r.s.Known = false
	inner := r.tokens[1:]
	r.tokens = nil
	return inner
}

var afterTable = map[string]bool{"set": true, "where": true, "values": true, "select": true, "using": true, "on": true, "returning": true,
	"join": true, "left": true, "right": true, "inner": true, "full": true, "cross": true, "natural": true, "order": true, "limit": true,
	"group": true, "default": true, "overriding": true, "for": true, "tablesample": true, "lateral": true, "with": true}

// table reads a name and its alias.
func (r *reader) table() Table {
	var t Table
	t.Name = r.peek(0).name()
	if t.Name == "" {
		r.s.Known = false
		if len(r.tokens) > 0 {
			r.tokens = r.tokens[1:]
		}
		return t
	}
	r.tokens = r.tokens[1:]
	for r.peek(0).is(".") {
		t.Schema, t.Name = t.Name, r.peek(1).name()
		r.tokens = r.tokens[min(2, len(r.tokens)):]
		if t.Name == "" {
			r.s.Known = false
		}
	}
	if r.peek(0).is("*") || r.peek(0).is("@") {
		r.tokens = r.tokens[1:]
	}
	if r.skip("as") || r.peek(0).name() != "" && !(r.peek(0).Kind == Word && afterTable[r.peek(0).Text]) {
		t.Alias = r.peek(0).name()
		if len(r.tokens) > 0 {
			r.tokens = r.tokens[1:]
		}
	}
	return t
}
