package faultnet

import (
	"bytes"
	"fmt"
	"strings"
)

// Direction is the side that a message comes from.
type Direction uint8

// The directions.
const (
	FromClient Direction = iota
	FromServer
)

func (d Direction) String() string {
	if d == FromClient {
		return "client"
	}
	return "server"
}

// Message is one message on its way, as a [Hook] gets it. Hooks do not see messages
// without a type, which come before a session.
type Message struct {
	Conn  int       // number of the connection, from 1, in the order in which they asked for a session
	From  Direction // who sent it
	Type  byte      // such as 'Q'; the same letter may mean another thing from the other side
	Data  []byte    // the whole message with type and length; not to be written to
	Index int       // from 1 for each direction of a connection; 0 up to the first ReadyForQuery

	sql string
}

// String describes the message for a log.
func (m Message) String() string {
	s := fmt.Sprintf("%d %v %d %c", m.Conn, m.From, m.Index, m.Type)
	if m.sql != "" {
		s += " " + m.sql
	}
	if tag := m.Tag(); tag != "" {
		s += " " + tag
	}
	return s
}

// SQL returns the text of a Query or Parse, or the text parsed under the name
// in a Bind or Execute. It is empty for other messages.
func (m Message) SQL() string { return m.sql }

// Tag returns the command tag of a CommandComplete, such as "INSERT 0 1" or "COMMIT". It
// is empty for other messages.
func (m Message) Tag() string {
	if m.From != FromServer || m.Type != 'C' {
		return ""
	}
	tag, _ := text(m.Data[header:])
	return tag
}

// Executes reports whether the message makes the server execute sql: a Query with
// that text alone, or an Execute of it. Case, and space or semicolons around it, do
// not matter.
func (m Message) Executes(sql string) bool {
	return m.From == FromClient && (m.Type == 'Q' || m.Type == 'E') && strings.EqualFold(trim(m.sql), trim(sql))
}

func trim(sql string) string { return strings.Trim(sql, "; \t\r\n") }

// header is the length of a type and a length.
const header = 5

// text takes a string that ends with a zero byte from the front.
func text(data []byte) (string, []byte) {
	s, rest, _ := bytes.Cut(data, []byte{0})
	return string(s), rest
}

// statements remembers the SQL text behind the names of a connection.
type statements struct {
	prepared map[string]string
	portals  map[string]string
}

// names reports whether a message from the client must be remembered, and so must
// be whole.
func names(kind byte) bool { return kind == 'P' || kind == 'B' || kind == 'C' }

// learn records a whole message from the client.
func (s *statements) learn(kind byte, data []byte) {
	body := data[header:]
	switch kind {
	case 'P':
		name, rest := text(body)
		sql, _ := text(rest)
		s.prepared = with(s.prepared, name, sql)
	case 'B':
		portal, rest := text(body)
		name, _ := text(rest)
		s.portals = with(s.portals, portal, s.prepared[name])
	case 'C':
		name, _ := text(body[min(1, len(body)):])
		switch {
		case len(body) == 0:
		case body[0] == 'S':
			delete(s.prepared, name)
		case body[0] == 'P':
			delete(s.portals, name)
		}
	}
}

func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// sql returns the text behind a whole message from the client that was learned.
func (s *statements) sql(kind byte, data []byte) string {
	body := data[header:]
	switch kind {
	case 'Q':
		sql, _ := text(body)
		return sql
	case 'P':
		name, _ := text(body)
		return s.prepared[name]
	case 'B', 'E':
		portal, _ := text(body)
		return s.portals[portal]
	}
	return ""
}
