package faultnet

import (
	"bytes"
	"errors"
	"syscall"
	"time"
)

// half is one direction of a connection. One goroutine reads, splits the stream
// into messages and decides on them; its queue delivers.
type half struct {
	session  *session
	from     Direction
	src, dst *socket
	queue    *queue

	// For the reader alone.
	due        time.Time // of what is being read
	typed      bool      // the messages have types by now
	tail       []byte    // the begin of a message that is kept until it is whole
	skip       int       // bytes to come of a message whose begin went ahead
	index      int
	statements statements
	dying      bool // the sender is to be cut by parting when its request is whole
	parting    Cut
	deaf       bool // what comes is behind a cut of the sender
	settled    bool // the start-up was over before what is being read
	budget     *budget
	left       int64 // of budget

	silent bool // for the queue alone
}

func newHalf(s *session, from Direction, src, dst *socket) *half {
	h := &half{session: s, from: from, src: src, dst: dst, typed: from == FromServer}
	h.queue = newQueue(h.deliver)
	return h
}

func (h *half) read() {
	defer h.queue.end()
	buf := make([]byte, 64<<10)
	for {
		n, err := h.src.Read(buf)
		if n > 0 && !h.lost() {
			h.due = time.Time{}
			if d := h.session.proxy.roundTrip.Load(); d > 0 {
				h.due = time.Now().Add(time.Duration(d) / 2)
			}
			h.take(buf[:n])
		}
		if err == nil {
			continue
		}
		if !h.lost() { // it ended by itself
			h.send(h.tail)
			op := opFinish
			if errors.Is(err, syscall.ECONNRESET) {
				op = opReset
			}
			h.queue.put(item{op: op, due: h.due})
		}
		return
	}
}

// lost reports whether bytes that are read now come too late.
func (h *half) lost() bool { return h.deaf || h.src.severed.Load() }

// take decides on a chunk of the stream. Messages that pass are sent together;
// without a hook all chunks pass as they came.
func (h *half) take(chunk []byte) {
	h.settled = h.session.ready.Load()
	hook := h.session.proxy.hook.Load()
	ours := true
	switch {
	case len(h.tail) > 0:
		chunk = append(h.tail, chunk...)
	case hook != nil:
		chunk = bytes.Clone(chunk) // a hook may keep it
	default:
		ours = false
	}
	h.tail = nil
	start, end := 0, 0 // what passes and was not sent yet
	send := func() {
		h.send(chunk[start:end])
		start = end
	}
	for end < len(chunk) && !h.lost() {
		found, n := h.next(chunk[end:], hook != nil || h.dying)
		if found == begun {
			break
		}
		data := chunk[end : end+n : end+n]
		if found == whole {
			m := h.message(data)
			if hook != nil {
				if a := h.session.proxy.decide(*hook, m); a.verb != pass {
					send()
					h.act(a, data)
					start += n
				}
			}
			if h.dying && endsRequest(m.Type) {
				end += n
				send()
				h.session.cut(h.parting)
				break
			}
		}
		end += n
	}
	send()
	if h.lost() {
		return
	}
	h.tail = chunk[end:]
	if !ours {
		h.tail = bytes.Clone(h.tail)
	}
}

// act applies a decision to a message.
func (h *half) act(a Action, data []byte) {
	switch a.verb {
	case replace:
		h.send(a.data)
	case cutBefore:
		h.cut(nil, a.cut, nil)
	case cutAfter:
		h.cut(data, a.cut, nil)
	case truncate:
		h.cut(data[:max(0, min(a.n, len(data)))], a.cut, nil)
	case hold, zombie:
		h.queue.put(item{held: true, release: a.release})
		h.send(data)
		switch {
		case a.verb == hold:
		case h.from == FromServer: // there is no request to wait for
			h.session.cut(a.cut)
		default:
			h.dying, h.parting = true, a.cut
		}
	case silence:
		h.queue.put(item{op: opSilence, due: h.due})
	}
}

// send passes data on, unless CutAfterBytes asks for a cut in it.
func (h *half) send(data []byte) {
	if len(data) > 0 && !h.overdraw(data) {
		h.count(data)
		h.queue.put(item{data: data, due: h.due})
	}
}

// cut passes data on and cuts behind it, unless CutAfterBytes asks for an earlier
// cut.
func (h *half) cut(data []byte, c Cut, done chan struct{}) {
	if len(data) == 0 || !h.overdraw(data) {
		h.cutBehind(data, c, done)
	}
}

// overdraw cuts within data, or right behind it, if CutAfterBytes asks for that.
func (h *half) overdraw(data []byte) bool {
	b := h.session.proxy.budget.Load()
	if b == nil || b.from != h.from || !h.counts() {
		return false
	}
	if b != h.budget {
		h.budget, h.left = b, b.bytes
	}
	if h.left <= int64(len(data)) && b.spent.CompareAndSwap(false, true) {
		h.cutBehind(data[:h.left], b.cut, b.done)
		return true
	}
	h.left -= int64(len(data))
	return false
}

func (h *half) cutBehind(data []byte, c Cut, done chan struct{}) {
	h.count(data)
	h.deaf = h.deaf || c.Reaches(h.from)
	h.queue.put(item{op: opCut, due: h.due, data: data, cut: c, done: done})
}

func (h *half) count(data []byte) {
	if h.counts() {
		h.session.proxy.bytes[h.from].Add(int64(len(data)))
	}
}

// counts reports whether bytes are counted: not those of the start-up, nor those
// that a server sends to a client that was cut off.
func (h *half) counts() bool {
	return h.settled && !h.session.opaque.Load() && !h.dst.severed.Load()
}

// deliver applies an item at the other end.
func (h *half) deliver(it item) {
	switch it.op {
	case opData:
		h.write(it.data)
	case opCut:
		if it.cut.Reaches(h.from) {
			h.src.severed.Store(true) // or the answer to the data might come first
		}
		h.write(it.data)
		h.session.cut(it.cut)
		if it.done != nil {
			close(it.done)
		}
	case opSilence:
		h.silent = true
	case opFinish, opReset:
		if h.silent || h.dst.severed.Load() {
			return
		}
		if it.op == opReset {
			reset(h.dst.Conn)
		} else {
			finish(h.dst.Conn)
		}
	}
}

func (h *half) write(data []byte) {
	if h.silent || len(data) == 0 || h.dst.severed.Load() {
		return
	}
	if h.from == FromServer && h.session.asked.Swap(false) {
		h.session.proxy.turns.Add(1)
	}
	_, _ = h.dst.Write(data) // the reader of that side finds the error
}
