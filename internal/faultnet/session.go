package faultnet

import (
	"net"
	"sync"
	"sync/atomic"
)

// session is one connection: a socket to the client, one to the server, and a
// half for each direction between them.
type session struct {
	proxy          *Proxy
	client, server *socket

	number atomic.Int64 // 0 until a session is asked for
	reply  atomic.Bool  // the server's next byte answers a request for encryption
	opaque atomic.Bool  // encrypted, or not the protocol at all
	ready  atomic.Bool  // the start-up is over
	asked  atomic.Bool  // the client has sent something since it was last answered
}

func newSession(p *Proxy, client, server net.Conn) *session {
	return &session{proxy: p, client: &socket{Conn: client}, server: &socket{Conn: server}}
}

// run returns when both sides have ended and everything was delivered.
func (s *session) run() {
	var wg sync.WaitGroup
	for _, h := range []*half{
		newHalf(s, FromClient, s.client, s.server),
		newHalf(s, FromServer, s.server, s.client),
	} {
		wg.Go(h.read)
		wg.Go(func() { h.queue.run(s.proxy.done) })
	}
	wg.Wait()
	s.close()
}

func (s *session) cut(c Cut) {
	if c.Reaches(FromClient) {
		s.client.end(c.resets())
	}
	if c.Reaches(FromServer) {
		s.server.end(c.resets())
	}
}

func (s *session) close() {
	s.client.Close()
	s.server.Close()
}

// socket is the proxy's end of one side.
type socket struct {
	net.Conn
	severed atomic.Bool // by a fault, so that the other side must not learn of it
}

// end ends this side because of a fault.
func (s *socket) end(byReset bool) {
	s.severed.Store(true)
	if byReset {
		reset(s.Conn)
	} else {
		finish(s.Conn)
	}
}

// reset ends a connection at once, by an RST if there is such a thing.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// finish sends the end of the stream. The socket stays open, because closing one
// with unread data resets it.
func finish(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails only if the peer is gone already
		return
	}
	_ = c.Close()
}
