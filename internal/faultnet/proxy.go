// Package faultnet is a network that misbehaves on demand: a TCP proxy on
// loopback between pgx and a real server, for tests and benchmarks. It delays,
// counts round trips, and loses, holds, changes or cuts exactly the PostgreSQL
// message that it is told to.
//
//	p, err := faultnet.New(pgconn.NetworkAddress(config.Host, config.Port))
//	defer p.Close()
//	p.Rewrite(config)
//	hook, seen := faultnet.On(faultnet.Executes("commit"), faultnet.CutAfter(faultnet.ResetClient))
//	p.SetHook(hook)
//
// The two sides of a connection are two sockets that live independently: a [Cut] of
// one does not end the other. A server whose client was cut off keeps its session,
// locks included, until [Proxy.Cut] or [Proxy.Close] ends it or it gives up by
// itself. A side that ends by itself ends the other too, in order, behind
// everything that it had sent.
//
// # Limits
//
// A connection that turns to TLS or GSS encryption is only delayed and cut from
// then on. A reset of a Unix socket is a close, because there is none. On Linux,
// the peer reads bytes that were written before a reset, if it had room; other
// systems may drop them. Held and delayed bytes are buffered without bound.
package faultnet

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Proxy passes connections on to one server. Create one with [New]; its methods may
// be called at any time, also from hooks, except for Close.
type Proxy struct {
	network, address string
	listener         net.Listener

	roundTrip atomic.Int64
	turns     atomic.Int64
	bytes     [2]atomic.Int64 // by Direction
	hook      atomic.Pointer[Hook]
	hooking   sync.Mutex // makes hooks see one message at a time
	budget    atomic.Pointer[budget]
	noCancels atomic.Bool // cancel requests get lost

	done context.Context // ends with Close
	end  context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	open     map[*session]struct{}
	sessions int
}

// New starts a proxy to a server with an address as for [net.Dial], or by
// pgconn.NetworkAddress. The server is dialed for each connection, not before.
func New(network, address string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{network: network, address: address, listener: listener, open: map[*session]struct{}{}}
	p.done, p.end = context.WithCancel(context.Background())
	p.wg.Go(p.accept)
	return p, nil
}

// Addr returns the address that the proxy listens on, as host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Rewrite points config at the proxy, without encryption and without fallbacks.
func (p *Proxy) Rewrite(config *pgx.ConnConfig) {
	addr := p.listener.Addr().(*net.TCPAddr)
	config.Host, config.Port = addr.IP.String(), uint16(addr.Port)
	config.TLSConfig, config.Fallbacks = nil, nil
	config.DialFunc = new(net.Dialer).DialContext
	config.LookupFunc = net.DefaultResolver.LookupHost
}

// Close ends all connections and drops held messages, and returns when nothing of
// the proxy is left. It must not be called from a hook. Calling it again does
// nothing.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.end()
	p.listener.Close()
	for s := range p.open {
		s.close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// SetRoundTrip delays everything that is read from now on by d/2, in both
// directions. Zero, the default, delays nothing.
func (p *Proxy) SetRoundTrip(d time.Duration) { p.roundTrip.Store(int64(d)) }

// RoundTrips returns how often a client sent something and was answered, over all
// connections since the start. These are the round trips that it waited for, as
// seen from its end. The start and the end of a connection, and cancel requests,
// are not counted. A turn is counted before the client can know of the answer.
func (p *Proxy) RoundTrips() int64 { return p.turns.Load() }

// Bytes returns the number of bytes passed on in one direction, over all
// connections, without those of their start-up.
func (p *Proxy) Bytes(from Direction) int64 { return p.bytes[from].Load() }

// Sessions returns the number of connections that have asked to start a session,
// which is the number of the newest one.
func (p *Proxy) Sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions
}

// SetHook lets hook decide on every message that is read from now on, also in the
// middle of a connection. Nil, the default, passes everything.
func (p *Proxy) SetHook(hook Hook) {
	if hook == nil {
		p.hook.Store(nil)
		return
	}
	p.hook.Store(&hook)
}

// Cut cuts the connection with that number at once, despite held and delayed
// messages, and all connections if the number is zero.
func (p *Proxy) Cut(conn int, cut Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.open {
		if conn == 0 || conn == int(s.number.Load()) {
			s.cut(cut)
		}
	}
}

// LoseCancels sets whether cancel requests get lost; by default they pass. pgx
// sends one if it gives up on a connection, and that may undo the COMMIT whose
// answer a fault has lost.
func (p *Proxy) LoseCancels(lose bool) { p.noCancels.Store(lose) }

// CutAfterBytes cuts a connection after n more bytes were passed on in one
// direction, whole messages or not. Each connection counts for itself, from this
// call on, without its start-up. The first to reach n is cut, and then the channel
// is closed. It happens once, and replaces the request of an earlier call. A
// negative n requests nothing.
func (p *Proxy) CutAfterBytes(from Direction, n int64, cut Cut) <-chan struct{} {
	b := &budget{from: from, bytes: n, cut: cut, done: make(chan struct{})}
	if n < 0 {
		p.budget.Store(nil)
	} else {
		p.budget.Store(b)
	}
	return b.done
}

// budget is the request of CutAfterBytes.
type budget struct {
	from  Direction
	bytes int64
	cut   Cut
	spent atomic.Bool
	done  chan struct{}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := new(net.Dialer).DialContext(p.done, p.network, p.address)
	if err != nil {
		reset(client)
		return
	}
	s := newSession(p, client, server)
	p.mu.Lock()
	p.open[s] = struct{}{}
	if p.done.Err() != nil {
		s.close()
	}
	p.mu.Unlock()
	s.run()
	p.mu.Lock()
	delete(p.open, s)
	p.mu.Unlock()
}

// nextNumber numbers a connection. Cancel requests have no number, so that they do not
// shift the numbers of sessions.
func (p *Proxy) nextNumber() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions++
	return p.sessions
}

func (p *Proxy) decide(hook Hook, m Message) Action {
	p.hooking.Lock()
	defer p.hooking.Unlock()
	return hook(m)
}
