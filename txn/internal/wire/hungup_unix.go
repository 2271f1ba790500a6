//go:build unix

package wire

import (
	"net"
	"syscall"
)

// peek looks at what has arrived on a connection, without reading it.
type peek struct {
	raw     syscall.RawConn // nil if the connection has none
	wrapped bool            // in TLS
	look    func(fd uintptr)
	gone    bool
}

func (p *peek) of(conn net.Conn) {
	wrapper, wrapped := conn.(interface{ NetConn() net.Conn }) // TLS
	if p.wrapped = wrapped; wrapped {
		conn = wrapper.NetConn()
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	p.raw = raw
	// Read is not used, as it would wait for pgx, which may still be reading in the
	// background.
	p.look = func(fd uintptr) {
		var first [1]byte
		n, _, err := syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		switch err {
		case nil:
			// An unsolicited error is fatal.
			p.gone = n == 0 || !p.wrapped && first[0] == 'E'
		case syscall.EAGAIN, syscall.EINTR:
			p.gone = false
		default:
			p.gone = true
		}
	}
}

// HungUp reports whether the server has ended an idle connection, as far as that has
// arrived here. It takes no round trip. A loss that it detects before a packet is sent
// would otherwise make the outcome of that packet unknown.
func (s *Session) HungUp() bool {
	p := &s.peek
	return p.raw != nil && p.raw.Control(p.look) == nil && p.gone
}
