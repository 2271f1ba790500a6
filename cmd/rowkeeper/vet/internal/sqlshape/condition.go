package sqlshape

// split splits tokens at the commas outside of brackets.
func split(tokens []Token) (parts [][]Token) {
	depth, start := 0, 0
	for i, t := range tokens {
		switch {
		case t.is("(") || t.is("["):
			depth++
		case t.is(")") || t.is("]"):
			depth--
		case depth == 0 && t.is(","):
			parts = append(parts, tokens[start:i])
			start = i + 1
		}
	}
	if start < len(tokens) {
		parts = append(parts, tokens[start:])
	}
	return parts
}

// from reads the tables of FROM and USING, with their joins.
func (r *reader) from(tokens []Token) {
	for _, part := range split(tokens) {
		inner := &reader{tokens: part, s: r.s}
		inner.skip("only")
		inner.source()
		for len(inner.tokens) > 0 {
			outer := false
			for !inner.skip("join") {
				outer = outer || inner.peek(0).is("left") || inner.peek(0).is("right") || inner.peek(0).is("full")
				if len(inner.tokens) == 0 {
					return
				}
				if !joinWords[inner.peek(0).Text] {
					r.s.Known = false
					return
				}
				inner.tokens = inner.tokens[1:]
			}
			inner.source()
			if inner.skip("on") {
				on := inner.until("join", "left", "right", "inner", "full", "cross", "natural")
				if !outer {
					r.conditions(on)
				}
			} else if inner.skip("using") && inner.peek(0).is("(") {
				inner.group()
				r.s.Known = false
			}
		}
	}
}

var joinWords = map[string]bool{"left": true, "right": true, "inner": true, "full": true, "outer": true, "cross": true, "natural": true}

// source reads a table, or something in brackets, which is not known.
func (r *reader) source() {
	r.skip("lateral")
	if r.peek(0).is("(") {
		r.group()
		r.s.Known = false
		r.skip("as")
		if r.peek(0).name() != "" && !afterTable[r.peek(0).Text] {
			r.tokens = r.tokens[1:]
		}
		return
	}
	if r.peek(1).is("(") { // a function
		r.s.Known = false
		r.tokens = r.tokens[1:]
		r.group()
		r.skip("as")
		if r.peek(0).name() != "" && !afterTable[r.peek(0).Text] {
			r.tokens = r.tokens[1:]
		}
		return
	}
	r.s.Tables = append(r.s.Tables, r.table())
}

// conditions reads the conjuncts. With an OR at the top level there is one, of no kind.
func (r *reader) conditions(tokens []Token) {
	tokens = unwrap(tokens)
	depth, start, between := 0, 0, false
	var parts [][]Token
	for i, t := range tokens {
		switch {
		case t.is("(") || t.is("[") || t.is("case"):
			depth++
		case t.is(")") || t.is("]") || t.is("end"):
			depth--
		case depth > 0:
		case t.is("or"):
			r.s.Where = append(r.s.Where, Condition{Text: tokens})
			return
		case t.is("between"):
			between = true
		case t.is("and") && between:
			between = false
		case t.is("and"):
			parts = append(parts, tokens[start:i])
			start = i + 1
		case t.Kind == Hole:
			r.s.Known = false
		}
	}
	for _, part := range append(parts, tokens[start:]) {
		if inner := unwrap(part); len(inner) < len(part) {
			r.conditions(inner)
			continue
		}
		r.s.Where = append(r.s.Where, condition(part))
	}
}

// unwrap removes brackets around the whole.
func unwrap(tokens []Token) []Token {
	for len(tokens) > 2 && tokens[0].is("(") && tokens[len(tokens)-1].is(")") {
		depth := 0
		for i, t := range tokens {
			if t.is("(") {
				depth++
			} else if t.is(")") {
				depth--
			}
			if depth == 0 && i < len(tokens)-1 {
				return tokens
			}
		}
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// condition reads one conjunct: column operator operand, or the other way round.
func condition(tokens []Token) Condition {
	c := Condition{Text: tokens}
	left, rest := operand(tokens)
	if len(rest) == 0 {
		return c
	}
	op := rest[0].Text
	switch {
	case rest[0].Kind == Punct && comparison[op] != "":
		right, after := operand(rest[1:])
		if len(after) > 0 {
			right = Operand{}
			if left.Kind == OfColumn && rest[1].is("any") && len(rest) > 2 {
				op = "in"
			}
		}
		if left.Kind != OfColumn && right.Kind == OfColumn {
			left, right, op = right, left, comparison[op]
		}
		if left.Kind == OfColumn {
			c.Left, c.Op, c.Right = left.Column, op, right
		}
	case left.Kind == OfColumn && rest[0].is("in"):
		c.Left, c.Op = left.Column, "in"
	case left.Kind == OfColumn && rest[0].is("between"):
		c.Left, c.Op = left.Column, "between"
	case left.Kind == OfColumn && rest[0].is("is"):
		c.Left, c.Op = left.Column, "is"
	case left.Kind == OfColumn && (rest[0].is("like") || rest[0].is("ilike")):
		c.Left, c.Op = left.Column, rest[0].Text
	}
	return c
}

// comparison has for each operator the one with its sides exchanged.
var comparison = map[string]string{"=": "=", "<>": "<>", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// operand reads a column, a parameter or a constant, with its cast.
func operand(tokens []Token) (Operand, []Token) {
	if len(tokens) == 0 {
		return Operand{}, nil
	}
	var o Operand
	t := tokens[0]
	rest := tokens[1:]
	switch {
	case t.Kind == Param:
		o = Operand{Kind: Parameter, Param: t.Text}
	case t.Kind == String || t.Kind == Number || t.is("true") || t.is("false") || t.is("null"):
		o = Operand{Kind: Constant}
	case t.is("not") || t.is("exists") || t.is("any") || t.is("case"):
		return Operand{}, tokens
	case t.name() != "":
		o = Operand{Kind: OfColumn, Column: Column{Name: t.Text}}
		for len(rest) > 1 && rest[0].is(".") && rest[1].name() != "" {
			o.Column = Column{Table: o.Column.Name, Name: rest[1].Text}
			rest = rest[2:]
		}
		if len(rest) > 0 && rest[0].is("(") {
			return Operand{}, tokens // a function
		}
	default:
		return Operand{}, tokens
	}
	for len(rest) > 1 && rest[0].is("::") {
		rest = rest[2:]
		if len(rest) > 1 && rest[0].is("[") && rest[1].is("]") {
			rest = rest[2:]
		}
	}
	return o, rest
}

// assignments reads SET.
func (r *reader) assignments(tokens []Token) (set []Assignment) {
	for _, part := range split(tokens) {
		name, i := "", 0
		if len(part) > 0 {
			name = part[0].name()
		}
		for i = 1; i+1 < len(part) && part[i].is("."); i += 2 {
			name = part[i+1].name()
		}
		if name == "" || i >= len(part) || !part[i].is("=") {
			r.s.Known = false
			continue
		}
		set = append(set, Assignment{name, part[i+1:]})
	}
	return set
}

// Params returns the parameters among tokens.
func Params(tokens []Token) (params []string) {
	for _, t := range tokens {
		if t.Kind == Param {
			params = append(params, t.Text)
		}
	}
	return params
}

// Mentions reports whether a name is among tokens.
func Mentions(tokens []Token, name string) bool {
	for _, t := range tokens {
		if t.name() == name {
			return true
		}
	}
	return false
}

// A Place is where in a statement a text ends.
type Place int

// The places that matter.
const (
	Elsewhere    Place = iota // an identifier, a clause, a keyword
	InString                  // between quotes
	ForValue                  // where a value has to come
	InIdentifier              // between double quotes
)

// End returns where the text ends: what comes next is in that place.
func End(text string) Place {
	l := lexed(text)
	switch l.open {
	case '\'', '$':
		return InString
	case '"':
		return InIdentifier
	case '-':
		return Elsewhere
	}
	if len(l.tokens) == 0 {
		return Elsewhere
	}
	if !looksLikeSQL(l.tokens) {
		return Elsewhere
	}
	last := l.tokens[len(l.tokens)-1]
	switch {
	case last.Kind == Punct && (comparison[last.Text] != "" || last.Text == "||"):
		if last.Text == "=" && inSetOrWhere(l.tokens) || last.Text != "=" {
			return ForValue
		}
	case last.is("like"), last.is("ilike"):
		return ForValue
	case last.is("("), last.is(","):
		if inList(l.tokens) {
			return ForValue
		}
	}
	return Elsewhere
}

func looksLikeSQL(tokens []Token) bool {
	for i, t := range tokens {
		switch {
		case t.is("select"), t.is("where"), t.is("set"), t.is("values"), t.is("and"), t.is("or"), t.is("from"):
			return true
		case t.is("insert") && i+1 < len(tokens) && tokens[i+1].is("into"):
			return true
		}
	}
	return false
}

func inSetOrWhere(tokens []Token) bool {
	for i := len(tokens) - 1; i >= 0; i-- {
		switch t := tokens[i]; {
		case t.is("where"), t.is("set"), t.is("and"), t.is("or"), t.is("on"), t.is("having"):
			return true
		}
	}
	return false
}

// inList reports whether the text ends within the brackets of IN or VALUES.
func inList(tokens []Token) bool {
	depth := 0
	for i := len(tokens) - 1; i >= 0; i-- {
		switch t := tokens[i]; {
		case t.is(")"):
			depth++
		case t.is("(") && depth > 0:
			depth--
		case t.is("("):
			return i > 0 && (tokens[i-1].is("in") || tokens[i-1].is("values"))
		}
	}
	return false
}
