package sqltext

import "strings"

// Control returns the words of text that would begin or end a transaction, such as
// COMMIT, or "". The meaning of a text depends on standard_conforming_strings, which
// the text itself may change, so it is read both ways.
//
// Neither engine has other words for it: CALL, DO and functions cannot end the
// transaction that they run in.
func Control(sql string) string {
	several := IsSeveral(sql)
	l := lexer{text: sql}
	if found := l.control(several); found != "" || !several || strings.IndexByte(sql, '\\') < 0 {
		return found
	}
	l = lexer{text: sql, escapes: true}
	return l.control(several)
}

// control examines the words that begin the first statement, or all statements.
func (l *lexer) control(all bool) string {
	for {
		first := l.next()
		if found := l.controlAt(first); found != "" {
			return found
		}
		if !all || !l.skipStatement(first) {
			return ""
		}
	}
}

// controlAt returns how the statement that begins with first controls the transaction.
// The lexer stays behind first.
func (l *lexer) controlAt(first token) string {
	if first.kind != tokenWord {
		return ""
	}
	ahead := *l
	second := ahead.next()
	switch word := strings.ToUpper(first.value); word {
	case "BEGIN", "COMMIT", "END", "ABORT":
		if second.kind == tokenWord || second.kind == tokenEnd || second.char == ';' { // otherwise it is not SQL
			return word
		}
	case "START", "PREPARE":
		if second.is("transaction") {
			return word + " TRANSACTION"
		}
	case "SHOW": // on CockroachDB this commits first
		if second.is("commit") && ahead.next().is("timestamp") {
			return "SHOW COMMIT TIMESTAMP"
		}
	case "RELEASE":
		return ahead.restart("RELEASE SAVEPOINT", second)
	case "ROLLBACK":
		if second.is("work") || second.is("transaction") {
			second = ahead.next()
		}
		switch {
		case second.is("to"):
			return ahead.restart("ROLLBACK TO SAVEPOINT", ahead.next())
		case second.is("and"):
			if ahead.next().is("chain") {
				return "ROLLBACK AND CHAIN"
			}
			return "ROLLBACK"
		case second.kind == tokenWord, second.kind == tokenEnd, second.char == ';':
			return "ROLLBACK"
		}
	}
	return ""
}

// restartSavepoint is the prefix of savepoints in CockroachDB's own retry protocol:
// releasing one commits.
const restartSavepoint = "cockroach_restart"

func (l *lexer) restart(what string, name token) string {
	if name.is("savepoint") {
		name = l.next()
	}
	if len(name.value) >= len(restartSavepoint) && strings.EqualFold(name.value[:len(restartSavepoint)], restartSavepoint) {
		return what + " " + name.value
	}
	return ""
}

// skipStatement skips the rest of the statement that begins with first, and reports
// whether another one may follow. Semicolons in the body of a rule or a routine belong
// to it. The server parses a whole text before it executes any of it, so a text that is
// incomplete ends nothing.
func (l *lexer) skipStatement(first token) bool {
	parens, blocks, routine := 0, 0, false
	for t, words := first, 0; t.kind != tokenEnd; t = l.next() {
		switch {
		case t.char == '(' && t.kind == tokenOther:
			parens++
		case t.char == ')' && t.kind == tokenOther:
			parens--
		case t.char == ';' && parens <= 0 && blocks == 0:
			return true
		case t.kind != tokenWord:
		case first.is("create") && words < 4 && (t.is("function") || t.is("procedure")):
			routine = true
		case routine && parens == 0 && (t.is("begin") && l.peek().is("atomic") || t.is("case") && blocks > 0):
			blocks++
		case routine && parens == 0 && t.is("end") && blocks > 0:
			blocks--
		}
		if t.kind == tokenWord {
			words++
		}
	}
	return false
}
