package txn

import (
	"slices"
	"strings"
)

// isStatement reports whether text is SQL for sure, and not the name of a
// prepared statement, which pgx takes in the same place.
func isStatement(sql string) bool {
	word := firstWord(sql)
	return isDataWord(word) || slices.Contains([]string{"table", "lock", "set", "show", "truncate", "create", "alter", "drop"}, word)
}

// isData reports whether text reads or writes rows, and so changes nothing of how
// what comes behind it is read.
func isData(sql string) bool { return isDataWord(firstWord(sql)) }

func isDataWord(word string) bool {
	return slices.Contains([]string{"select", "insert", "update", "delete", "merge", "upsert", "with", "values"}, word)
}

// firstWord is the first word of text in lower case, if white space and more
// follows it: "select-user" may be a name.
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

// isSeveral reports whether text may be more than one statement. A semicolon in
// a literal counts too: what is taken for several only travels by itself.
func isSeveral(sql string) bool {
	return strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";")
}
