package sqltext

import (
	"slices"
	"strings"
)

// IsStatement reports whether text is certainly SQL, and not the name of a prepared
// statement, which pgx accepts in the same place.
func IsStatement(sql string) bool {
	word := firstWord(sql)
	return isDataWord(word) || slices.Contains([]string{"table", "lock", "set", "show", "truncate", "create", "alter", "drop"}, word)
}

func isDataWord(word string) bool {
	return slices.Contains([]string{"select", "insert", "update", "delete", "merge", "upsert", "with", "values"}, word)
}

// firstWord returns the first word of text in lower case, if white space and more text
// follow it: "select-user" may be a name.
func firstWord(sql string) string {
	l := lexer{text: sql}
	first := l.next()
	for first.kind == tokenOther && first.char == '(' {
		first = l.next()
	}
	end := l.pos
	if l.space(); first.kind != tokenWord || l.pos == end || l.pos == len(sql) {
		return ""
	}
	return strings.ToLower(first.value)
}

// IsSeveral reports whether text may contain several statements. A semicolon in a
// literal counts too: such text is only sent alone.
func IsSeveral(sql string) bool {
	return strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";")
}

// IsInnocent reports whether statements after this one mean the same with and without
// it, as far as the text tells: it reads or writes rows, and calls only functions that
// are known to do nothing else. set_config is not one of them.
func IsInnocent(sql string) bool {
	if !isDataWord(firstWord(sql)) {
		return false
	}
	l := lexer{text: sql}
	var before token
	columns := listsNone
	for t := l.next(); t.kind != tokenEnd; before, t = t, l.next() {
		switch {
		case t.is("into") && !before.is("insert") && !before.is("upsert") && !before.is("merge"):
			return false // SELECT INTO makes a table
		case t.char == '(' && t.kind == tokenOther && columns != listsColumns && isCall(before):
			return false
		}
		columns = columns.behind(t)
	}
	return true
}

// lists tracks INTO, AS and WITH: a parenthesis after the name that follows begins a
// list of columns, and not the arguments of a function.
type lists uint8

const (
	listsNone    lists = iota
	listsName          // a name is expected
	listsColumns       // the name was seen
)

func (l lists) behind(t token) lists {
	name := t.kind == tokenWord || t.kind == tokenQuoted
	switch {
	case t.is("into"), t.is("as"), t.is("with"), t.is("recursive"), l == listsColumns && t.char == '.':
		return listsName
	case l == listsName && name:
		return listsColumns
	}
	return listsNone
}

// isCall reports whether a parenthesis after a token may call a function that does more
// than return a value.
func isCall(t token) bool {
	switch t.kind {
	case tokenQuoted:
		return true
	case tokenWord:
		return !innocentWords[strings.ToLower(t.value)]
	}
	return false
}

// innocentWords are keywords, types and functions that a parenthesis may follow.
var innocentWords = func() map[string]bool {
	words := make(map[string]bool)
	for _, w := range strings.Fields(`
		all and any array as between by case conflict cube distinct else except exists filter from group having ilike in
		intersect is join lateral like limit materialized not offset on or over partition returning rollup row select
		set sets similar some then to union using values when where with within
		bit bpchar char character decimal dec float interval numeric time timestamp timestamptz timetz varchar varying
		abs array_agg array_append array_cat array_length array_position array_remove array_to_string avg bool_and bool_or
		btrim cardinality cast ceil ceiling char_length coalesce concat concat_ws count cume_dist date_part date_trunc
		decode dense_rank encode every exp extract first_value floor format gen_random_uuid generate_series greatest
		initcap json_agg json_array_length json_build_array json_build_object jsonb_agg jsonb_array_elements
		jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_set
		jsonb_strip_nulls lag last_value lead least left length lower lpad ltrim make_date make_interval max md5 min mod
		nextval now ntile nullif octet_length overlay percent_rank percentile_cont percentile_disc position power random
		rank regexp_replace repeat replace reverse right round row_number row_to_json rpad rtrim sha256 sign split_part
		sqrt starts_with string_agg string_to_array strpos substr substring sum to_char to_date to_json to_jsonb
		to_number to_timestamp transaction_timestamp statement_timestamp clock_timestamp translate trim trunc unnest upper
		uuid_generate_v4 width_bucket`) {
		words[w] = true
	}
	return words
}()
