package idempotency

import (
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"
)

// stored is a Response as kept in the ledger. JSON cannot hold text that is not valid
// UTF-8, which header values may contain.
type stored struct {
	Call   string // the handler call that made it
	Status int
	Header http.Header
	Bytes  map[string][][]byte `json:",omitempty"` // fields of the header that are not text
	Body   []byte
}

func store(r Response, call string) stored {
	s := stored{Call: call, Status: r.Status, Header: r.Header, Body: r.Body}
	for name, values := range r.Header {
		if !slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			continue
		}
		if s.Bytes == nil {
			s.Header, s.Bytes = maps.Clone(r.Header), make(map[string][][]byte)
		}
		delete(s.Header, name)
		for _, v := range values {
			s.Bytes[name] = append(s.Bytes[name], []byte(v))
		}
	}
	return s
}

func (s stored) response() Response {
	r := Response{Status: s.Status, Header: s.Header, Body: s.Body}
	if len(s.Bytes) == 0 {
		return r
	}
	r.Header = make(http.Header)
	maps.Copy(r.Header, s.Header)
	for name, values := range s.Bytes {
		for _, v := range values {
			r.Header[name] = append(r.Header[name], string(v))
		}
	}
	return r
}
