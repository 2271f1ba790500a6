package history

import (
	"fmt"
	"slices"
)

// write is an append: its transaction, and whether it is that transaction's last
// append to the key.
type write struct {
	txn  int
	key  int64
	last bool
}

type checker struct {
	txns     []Txn
	final    map[int64][]Value
	writes   map[Value]write
	edges    [][]edge // by transaction
	findings []Finding
}

func newChecker(txns []Txn, final map[int64][]Value) *checker {
	c := &checker{txns: slices.Clone(txns), final: final, writes: map[Value]write{}}
	for i, t := range c.txns {
		last := map[int64]Value{}
		for _, o := range t.Ops {
			if o.Read {
				continue
			}
			if before, ok := c.writes[o.Append]; ok {
				panic(fmt.Sprintf("history: %d is appended by %s and by %s", o.Append, c.txns[before.txn].ID, t.ID))
			}
			c.writes[o.Append] = write{txn: i, key: o.Key}
			last[o.Key] = o.Append
		}
		for key, v := range last {
			c.writes[v] = write{txn: i, key: key, last: true}
		}
	}
	return c
}

func (c *checker) report(a Anomaly, detail string, txns ...int) {
	f := Finding{Anomaly: a, Detail: detail}
	for _, i := range txns {
		f.Txns = append(f.Txns, c.txns[i])
	}
	c.findings = append(c.findings, f)
}

// settleUnknown decides on the transactions with an unknown outcome by their
// appends. A transaction that left none is aborted, or as good as.
func (c *checker) settleUnknown() {
	seen := map[int]bool{}
	for _, list := range c.final {
		for _, v := range list {
			if w, ok := c.writes[v]; ok {
				seen[w.txn] = true
			}
		}
	}
	for i := range c.txns {
		if c.txns[i].Status != Unknown {
			continue
		}
		c.txns[i].Status = Aborted
		if seen[i] {
			c.txns[i].Status = Committed
		}
	}
}

// checkFinal compares the final lists with the appends.
func (c *checker) checkFinal() {
	there := map[Value]bool{}
	for key, list := range c.final {
		for _, v := range list {
			w, ok := c.writes[v]
			switch {
			case !ok || w.key != key:
				c.report(Unwritten, fmt.Sprintf("%d in %d", v, key))
			case there[v]:
				c.report(Twice, fmt.Sprintf("%d in %d", v, key), w.txn)
			case c.txns[w.txn].Status == Aborted:
				c.report(Dirty, fmt.Sprintf("%d in %d", v, key), w.txn)
			}
			there[v] = true
		}
	}
	for i, t := range c.txns {
		for _, o := range t.Ops {
			if t.Status == Committed && !o.Read && !there[o.Append] {
				c.report(Lost, fmt.Sprintf("%d is not in %d", o.Append, o.Key), i)
			}
		}
	}
}

// checkReads checks the reads of each committed transaction: by themselves, and
// against the order of the versions, which is that of the final list.
func (c *checker) checkReads() {
	for i, t := range c.txns {
		if t.Status != Committed {
			continue
		}
		known := map[int64][]Value{} // of keys that it has read
		own := map[int64][]Value{}   // appended before it has read the key
		for _, o := range t.Ops {
			before, read := known[o.Key]
			switch {
			case !o.Read && read:
				known[o.Key] = append(slices.Clip(before), o.Append)
			case !o.Read:
				own[o.Key] = append(own[o.Key], o.Append)
			default:
				if read && !slices.Equal(before, o.Saw) {
					c.report(Internal, fmt.Sprintf("%d should be %v", o.Key, before), i)
				} else if !read && !endsWith(o.Saw, own[o.Key]) {
					c.report(Internal, fmt.Sprintf("%d should end with its own %v", o.Key, own[o.Key]), i)
				} else if !read {
					c.checkExternal(i, o.Key, o.Saw[:len(o.Saw)-len(own[o.Key])])
				}
				known[o.Key] = o.Saw
			}
		}
	}
}

func endsWith(list, tail []Value) bool {
	return len(list) >= len(tail) && slices.Equal(list[len(list)-len(tail):], tail)
}

// checkExternal checks the values that a transaction read from others.
func (c *checker) checkExternal(reader int, key int64, saw []Value) {
	for n, v := range saw {
		w, ok := c.writes[v]
		switch {
		case !ok || w.key != key:
			c.report(Unwritten, fmt.Sprintf("%d in %d", v, key), reader)
			return
		case c.txns[w.txn].Status == Aborted:
			c.report(G1a, fmt.Sprintf("%d in %d", v, key), reader, w.txn)
			return
		case w.txn == reader:
			c.report(Internal, fmt.Sprintf("%d is seen in %d before it was appended", v, key), reader)
			return
		case n == len(saw)-1 && !w.last:
			c.report(G1b, fmt.Sprintf("%d in %d", v, key), reader, w.txn)
			return
		}
	}
	order := c.final[key]
	if len(saw) > len(order) || !slices.Equal(saw, order[:len(saw)]) {
		involved := []int{reader}
		for _, v := range saw {
			if w := c.writes[v]; !slices.Contains(order, v) && !slices.Contains(involved, w.txn) {
				involved = append(involved, w.txn)
			}
		}
		c.report(Incompatible, fmt.Sprintf("%d was %v, and is %v in the end", key, saw, order), involved...)
	}
}
