package faultnet

import "sync"

// Match picks messages.
type Match func(Message) bool

// Executes matches a message that makes the server execute sql, as
// [Message.Executes].
func Executes(sql string) Match {
	return func(m Message) bool { return m.Executes(sql) }
}

// Completes matches the CommandComplete with that tag, such as "COMMIT".
func Completes(tag string) Match {
	return func(m Message) bool { return m.Tag() == tag }
}

// Of matches messages of one type.
func Of(from Direction, kind byte) Match {
	return func(m Message) bool { return m.From == from && m.Type == kind }
}

// At matches the message with that [Message.Index] on each connection.
func At(from Direction, index int) Match {
	return func(m Message) bool { return m.From == from && m.Index == index }
}

// Then matches the first message that next matches after m matched another one on
// the same connection: Executes("commit").Then(Of(FromClient, 'S')) matches the
// Sync behind it.
func (m Match) Then(next Match) Match {
	var mu sync.Mutex
	due := map[int]bool{}
	return func(message Message) bool {
		mu.Lock()
		defer mu.Unlock()
		if due[message.Conn] && next(message) {
			due[message.Conn] = false
			return true
		}
		if m(message) {
			due[message.Conn] = true
		}
		return false
	}
}

// On returns a hook that applies a to the first message that m matches, once over
// all connections, and passes everything else on. The channel is closed when that
// message was read.
func On(m Match, a Action) (Hook, <-chan struct{}) {
	var once sync.Once
	seen := make(chan struct{})
	return func(message Message) Action {
		action := Pass()
		if m(message) {
			once.Do(func() {
				action = a
				close(seen)
			})
		}
		return action
	}, seen
}

// Hooks returns a hook that asks each of hooks, and takes the first decision that
// does not pass the message on.
func Hooks(hooks ...Hook) Hook {
	return func(m Message) Action {
		action := Pass()
		for _, hook := range hooks {
			if a := hook(m); action.verb == pass {
				action = a
			}
		}
		return action
	}
}
