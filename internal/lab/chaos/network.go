package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// network is the path of some clients to the server. It does damage if wanted
// reports that more is due.
type network struct {
	name   string
	proxy  *faultnet.Proxy
	faults *faults
	wanted func() bool

	// For the hook alone, which sees one message at a time.
	rng    *rand.Rand
	next   *networkFault
	last   map[int]int64 // by connection: the call that was seen on it
	behind map[int]bool  // the answer to COMMIT went by, and ReadyForQuery did not
	idle   map[int]bool  // ReadyForQuery went by, and no request since
	struck map[int]bool  // connections that have had theirs

	mu      sync.Mutex
	pending sync.WaitGroup // for what is still to be delivered or cut
	closed  bool
}

// networkFault is the next damage.
type networkFault struct {
	kind  faultKind
	on    target
	after int // as many matching messages
}

// target is the kind of message that a networkFault applies to.
type target uint8

const (
	anyOfClient target = iota
	anyOfServer
	firstOfRequest // with everything in its packet
	commitRequest
	commitAnswer
	readyBehindCommit
)

func newNetwork(name string, seed uint64, number int, config *pgxpool.Config, f *faults, wanted func() bool) (*network, error) {
	proxy, err := faultnet.New(pgconn.NetworkAddress(config.ConnConfig.Host, config.ConnConfig.Port))
	if err != nil {
		return nil, err
	}
	n := &network{
		name: name, proxy: proxy, faults: f, wanted: wanted,
		rng:  rand.New(rand.NewPCG(seed, uint64(1000+number))),
		last: map[int]int64{}, behind: map[int]bool{}, idle: map[int]bool{}, struck: map[int]bool{},
	}
	proxy.Rewrite(config.ConnConfig)
	proxy.SetHook(n.decide)
	return n, nil
}

// close delivers everything that is still on its way, then ends all connections.
func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.pending.Wait()
	n.proxy.Close()
}

// later runs f after some time, and close waits for it.
func (n *network) later(d time.Duration, f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		f()
		return
	}
	n.pending.Add(1)
	time.AfterFunc(d, func() {
		defer n.pending.Done()
		f()
	})
}

func (n *network) draw() *networkFault {
	s := &networkFault{after: n.rng.IntN(30)}
	switch p := n.rng.IntN(100); {
	case p < 20:
		s.kind = cutBefore
	case p < 42:
		s.kind = cutAfter
	case p < 58:
		s.kind = halfSent
	case p < 66:
		s.kind = cutAnywhere
	case p < 84:
		s.kind = zombie
	case p < 94:
		s.kind = held
	default:
		s.kind = silenced
	}
	switch p := n.rng.IntN(100); {
	case p < 20:
		s.on = anyOfClient
	case p < 40:
		s.on = anyOfServer
	case p < 70:
		s.on = commitRequest
	case p < 90:
		s.on = commitAnswer
	default:
		s.on = readyBehindCommit
	}
	if s.kind == zombie {
		s.on = []target{anyOfClient, firstOfRequest, firstOfRequest, commitRequest, commitRequest}[n.rng.IntN(5)]
	}
	if s.on != anyOfClient && s.on != anyOfServer {
		s.after = n.rng.IntN(3)
	}
	return s
}

func (s *networkFault) hits(m faultnet.Message, wasIdle, behindCommit bool) bool {
	switch s.on {
	case firstOfRequest:
		return wasIdle && m.From == faultnet.FromClient
	case anyOfClient:
		return m.From == faultnet.FromClient
	case anyOfServer:
		return m.From == faultnet.FromServer
	case commitRequest:
		return m.Executes("commit")
	case commitAnswer:
		return m.Tag() == "COMMIT"
	}
	return behindCommit && m.From == faultnet.FromServer && m.Type == 'Z'
}

// decide is the hook.
func (n *network) decide(m faultnet.Message) faultnet.Action {
	switch {
	case m.From == faultnet.FromClient && (m.Type == 'B' || m.Type == 'Q'):
		if id := callIn(m.Data); id != 0 {
			n.last[m.Conn] = id
		}
	case m.From == faultnet.FromServer && m.Index == 0 && m.Type == 'R': // a new connection
		n.forget(m.Conn)
	}
	idle, behind := n.idle[m.Conn], n.behind[m.Conn]
	switch {
	case m.From == faultnet.FromServer && m.Type == 'Z':
		n.idle[m.Conn] = true
	case m.From == faultnet.FromClient && idle:
		delete(n.idle, m.Conn)
	}
	if m.From == faultnet.FromServer {
		if m.Tag() == "COMMIT" {
			n.behind[m.Conn] = true
		} else if behind {
			delete(n.behind, m.Conn)
		}
	}
	if n.struck[m.Conn] {
		return faultnet.Pass()
	}
	if n.next == nil {
		if !n.wanted() {
			return faultnet.Pass()
		}
		n.next = n.draw()
		n.proxy.LoseCancels(n.rng.IntN(2) == 0)
	}
	if !n.next.hits(m, idle, behind) {
		return faultnet.Pass()
	}
	if n.next.after > 0 {
		n.next.after--
		return faultnet.Pass()
	}
	s := *n.next
	n.next = nil
	return n.networkFault(s, m)
}

// forget bounds the memory about connections in a long run.
func (n *network) forget(newest int) {
	for _, known := range []map[int]bool{n.behind, n.idle, n.struck} {
		for conn := range known {
			if conn < newest-1000 {
				delete(known, conn)
			}
		}
	}
	for conn := range n.last {
		if conn < newest-1000 {
			delete(n.last, conn)
		}
	}
}

func (n *network) networkFault(s networkFault, m faultnet.Message) faultnet.Action {
	f := fault{kind: s.kind, crew: n.name, conn: m.Conn, call: n.last[m.Conn]}
	cuts := faultnet.Cuts()
	cut := cuts[n.rng.IntN(len(cuts))]
	f.detail = fmt.Sprintf("%v at %v", cut, m)
	n.struck[m.Conn] = true
	switch s.kind {
	case cutBefore, cutAfter, halfSent:
		n.endBoth(m.Conn, n.soon())
		n.faults.add(f)
		switch s.kind {
		case cutBefore:
			return faultnet.CutBefore(cut)
		case cutAfter:
			return faultnet.CutAfter(cut)
		}
		return faultnet.Truncate(1+n.rng.IntN(max(1, len(m.Data)-1)), cut)
	case cutAnywhere:
		n.struck[m.Conn] = false // it may be another one
		from, bytes := faultnet.Direction(n.rng.IntN(2)), n.rng.Int64N(2000)
		cut = []faultnet.Cut{faultnet.ResetBoth, faultnet.CloseBoth}[n.rng.IntN(2)]
		done := n.proxy.CutAfterBytes(from, bytes, cut)
		f.conn, f.call = 0, 0
		f.detail = fmt.Sprintf("%v after %d bytes of the %v", cut, bytes, from)
		n.later(2*time.Second, func() {
			select {
			case <-done:
				n.faults.add(f)
			default: // replaced by another one, or nobody sent as much
			}
		})
		return faultnet.Pass()
	case zombie:
		cut = []faultnet.Cut{faultnet.ResetClient, faultnet.CloseClient}[n.rng.IntN(2)]
		delay := n.soon()
		f.detail = fmt.Sprintf("%v at %v, which arrives after %v", cut, m, delay)
		n.faults.add(f)
		release := make(chan struct{})
		n.later(delay, func() { close(release) })
		n.endBoth(m.Conn, delay+n.soon())
		return faultnet.Zombie(release, cut)
	case held:
		delay := n.soon()
		f.detail = fmt.Sprintf("%v, for %v", m, delay)
		n.faults.add(f)
		release := make(chan struct{})
		n.later(delay, func() { close(release) })
		n.struck[m.Conn] = false
		return faultnet.Hold(release)
	}
	f.detail = m.String()
	n.faults.add(f)
	n.endBoth(m.Conn, n.soon())
	return faultnet.Silence()
}

// soon returns the delay of something that should happen at once: mostly short,
// sometimes longer than clients wait.
func (n *network) soon() time.Duration {
	if n.rng.IntN(10) == 0 {
		return time.Duration(n.rng.Int64N(int64(3 * time.Second)))
	}
	return time.Duration(n.rng.Int64N(int64(200 * time.Millisecond)))
}

// endBoth ends both sides of a connection after a fault.
func (n *network) endBoth(conn int, after time.Duration) {
	cut := []faultnet.Cut{faultnet.ResetBoth, faultnet.CloseBoth}[n.rng.IntN(2)]
	n.later(after, func() {
		if conn != 0 {
			n.proxy.Cut(conn, cut)
		}
	})
}
