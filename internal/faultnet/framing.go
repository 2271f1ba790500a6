package faultnet

import "encoding/binary"

// piece is a part of the stream, found by [half.next].
type piece uint8

const (
	begun piece = iota // the begin of something that must be whole
	plain              // no hook sees it
	whole              // a message
)

// next reports what data begins with, and its length. If keep is set, or if there
// is a name to learn, it waits for the rest of an incomplete message; otherwise it
// passes the part on, so that long messages are not buffered.
func (h *half) next(data []byte, keep bool) (piece, int) {
	if h.session.opaque.Load() {
		return plain, len(data)
	}
	if h.skip > 0 {
		n := min(h.skip, len(data))
		h.skip -= n
		return plain, n
	}
	if n, ok := h.untyped(data); !ok {
		return begun, 0
	} else if n > 0 || h.session.opaque.Load() {
		return plain, n
	}
	if len(data) < header {
		return begun, 0
	}
	kind, size := data[0], 1+int(binary.BigEndian.Uint32(data[1:]))
	switch {
	case size < header: // not the protocol
		h.session.opaque.Store(true)
		return plain, 0
	case len(data) >= size:
		return whole, size
	case keep || h.from == FromClient && names(kind):
		return begun, 0
	}
	h.note(kind)
	h.skip = size
	return plain, 0
}

// message records a whole message.
func (h *half) message(data []byte) Message {
	m := Message{Conn: int(h.session.number.Load()), From: h.from, Type: data[0], Data: data, Index: h.note(data[0])}
	if h.from == FromClient {
		h.statements.learn(m.Type, data)
		m.sql = h.statements.sql(m.Type, data)
	}
	return m
}

// note records the begin of a message, and returns its index.
func (h *half) note(kind byte) int {
	s := h.session
	ready := s.ready.Load()
	switch {
	case h.from == FromServer && kind == 'Z':
		s.ready.Store(true)
	case h.from == FromClient && kind != 'X' && ready:
		s.asked.Store(true)
	}
	if !ready {
		return 0
	}
	h.index++
	return h.index
}

// endsRequest reports whether a client waits for an answer behind it.
func endsRequest(kind byte) bool {
	return kind == 'Q' || kind == 'S' || kind == 'H' || kind == 'F'
}

// Codes in the place of a protocol version.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
)

// longestStartup is the limit that servers set. TLS without a request for it looks
// like a longer message.
const longestStartup = 10000

// untyped takes untyped bytes from the front of data: those that a client sends
// before its session, and the byte by which a server answers a request for
// encryption. It returns their length, which is 0 if there are none, and whether
// data is long enough to know.
func (h *half) untyped(data []byte) (n int, ok bool) {
	s := h.session
	if h.from == FromServer {
		if !s.reply.Swap(false) {
			return 0, true
		}
		switch data[0] {
		case 'N':
			return 1, true
		case 'S', 'G':
			s.opaque.Store(true)
		} // and otherwise it is an ErrorResponse
		return 0, true
	}
	if h.typed {
		return 0, true
	}
	if len(data) < 4 {
		return 0, false
	}
	n = int(binary.BigEndian.Uint32(data))
	if n < 8 || n > longestStartup {
		s.opaque.Store(true)
		return 0, true
	}
	if len(data) < n {
		return 0, false
	}
	switch binary.BigEndian.Uint32(data[4:]) {
	case cancelRequest:
		if s.proxy.noCancels.Load() {
			s.cut(CloseBoth) // before it is sent
		}
	case sslRequest, gssRequest:
		s.reply.Store(true)
	default:
		h.typed = true
		s.number.Store(int64(s.proxy.nextNumber()))
	}
	return n, true
}
