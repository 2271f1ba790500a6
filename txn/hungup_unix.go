//go:build unix

package txn

import (
	"net"
	"syscall"
)

// hungUp reports whether the server has ended an idle connection, as far as that has
// arrived here. It takes no round trip. A loss that it detects before a packet is sent
// would otherwise make the outcome of that packet unknown.
func hungUp(conn net.Conn) bool {
	wrapper, wrapped := conn.(interface{ NetConn() net.Conn }) // TLS
	if wrapped {
		conn = wrapper.NetConn()
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	var first [1]byte
	// Read is not used, as it would wait for pgx, which may still be reading in the
	// background.
	_ = raw.Control(func(fd uintptr) { // on failure nothing is reported
		n, _, err := syscall.Recvfrom(int(fd), first[:], syscall.MSG_PEEK)
		switch err {
		case nil:
			// An unsolicited error is fatal.
			gone = n == 0 || !wrapped && first[0] == 'E'
		case syscall.EAGAIN, syscall.EINTR:
		default:
			gone = true
		}
	})
	return gone
}
