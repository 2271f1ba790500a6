package faultnet

import "github.com/jackc/pgx/v5/pgproto3"

// Hook decides what happens to a message. It sees the messages of both directions
// and of all connections one at a time, so its own state needs no locks. It must
// not wait; use [Hold] for that. It also sees messages that are not passed on any
// more, such as the answers to a client that is gone.
type Hook func(Message) Action

// Action is the decision of a [Hook]. The zero value passes the message on.
type Action struct {
	verb    verb
	data    []byte
	n       int
	cut     Cut
	release <-chan struct{}
}

type verb uint8

const (
	pass verb = iota
	replace
	cutBefore
	cutAfter
	truncate
	hold
	zombie
	silence
)

// Pass passes the message on.
func Pass() Action { return Action{} }

// Drop loses the message.
func Drop() Action { return Action{verb: replace} }

// Replace passes data on instead, which may be several messages or none.
func Replace(data []byte) Action { return Action{verb: replace, data: data} }

// CutBefore loses the message and cuts the connection behind the one before.
func CutBefore(cut Cut) Action { return Action{verb: cutBefore, cut: cut} }

// CutAfter passes the message on and cuts the connection behind it. No answer to it
// reaches a sender that is cut. A server that is cut too may drop the message, so
// cut the client alone if the message must take effect.
func CutAfter(cut Cut) Action { return Action{verb: cutAfter, cut: cut} }

// Truncate passes on the first n bytes, the type and the length included, and
// cuts the connection behind them.
func Truncate(n int, cut Cut) Action { return Action{verb: truncate, n: n, cut: cut} }

// Hold keeps the message, and all behind it in its direction, until release is
// closed, then delivers them, whether or not the other side is still there. If the
// proxy is closed first, they are lost. If the client ended by itself, its end is
// delivered behind them, and CockroachDB may then drop them; a [Zombie] has no such
// end.
func Hold(release <-chan struct{}) Action { return Action{verb: hold, release: release} }

// Zombie keeps a message of the client like [Hold], and cuts the client's side as
// soon as the message's request is complete, up to the Sync or Flush behind it. So
// a request that the client gave up happens at the server when release is closed. A
// cut of the server's side makes no sense here.
func Zombie(release <-chan struct{}, cut Cut) Action {
	return Action{verb: zombie, release: release, cut: cut}
}

// Silence loses the message and all behind it in its direction, and also the end of
// the sender. The receiver's socket stays open until a [Cut] or [Proxy.Close].
func Silence() Action { return Action{verb: silence} }

// Cut is a way to end a connection. A side that is reset is gone at once. A side
// that is closed gets the end of the stream, and everything that it still sends is
// lost. The zero value is ResetBoth.
type Cut uint8

// The ways to end a connection, by an RST or by a FIN, and the sides that they
// reach.
const (
	ResetBoth Cut = iota
	ResetClient
	ResetServer
	CloseBoth
	CloseClient
	CloseServer
)

// Cuts lists all ways to end a connection.
func Cuts() []Cut {
	return []Cut{ResetBoth, ResetClient, ResetServer, CloseBoth, CloseClient, CloseServer}
}

func (c Cut) String() string {
	return [...]string{"reset both", "reset client", "reset server", "close both", "close client", "close server"}[c]
}

// Reaches reports whether the cut ends the side that sends in that direction.
func (c Cut) Reaches(from Direction) bool {
	switch c {
	case ResetClient, CloseClient:
		return from == FromClient
	case ResetServer, CloseServer:
		return from == FromServer
	}
	return true
}

func (c Cut) resets() bool { return c <= ResetServer }

// Encode returns the bytes of messages, for [Replace]. It panics on a message that
// cannot be encoded.
func Encode(messages ...pgproto3.Message) []byte {
	var data []byte
	for _, m := range messages {
		var err error
		if data, err = m.Encode(data); err != nil {
			panic(err)
		}
	}
	return data
}
