//go:build !unix

package wire

import "net"

type peek struct{}

func (*peek) of(net.Conn) {}

// HungUp detects nothing on this platform: the first packet does.
func (s *Session) HungUp() bool { return false }
