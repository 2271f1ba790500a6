package history

import (
	"fmt"
	"slices"
	"strings"
)

// kind is the reason for which one transaction comes before another.
type kind uint8

const (
	ww kind = 1 << iota // the other appended behind it
	wr                  // the other read what it appended
	rw                  // it did not see what the other appended
)

type edge struct {
	to   int
	kind kind
	key  int64
}

func (c *checker) edge(from, to int, k kind, key int64) {
	if from != to {
		c.edges[from] = append(c.edges[from], edge{to, k, key})
	}
}

// connect finds the dependencies. By now the order of versions is known to fit all
// reads, and every version in it is committed.
func (c *checker) connect() {
	c.edges = make([][]edge, len(c.txns))
	for key, order := range c.final {
		for n := 1; n < len(order); n++ {
			c.edge(c.writes[order[n-1]].txn, c.writes[order[n]].txn, ww, key)
		}
	}
	for i, t := range c.txns {
		if t.Status != Committed {
			continue
		}
		touched := map[int64]int{} // how many appends of its own came before the read
		read := map[int64]bool{}
		for _, o := range t.Ops {
			if !o.Read {
				touched[o.Key]++
				continue
			}
			if read[o.Key] {
				continue
			}
			read[o.Key] = true
			order, n := c.final[o.Key], len(o.Saw)-touched[o.Key]
			if n > 0 {
				c.edge(c.writes[order[n-1]].txn, i, wr, o.Key)
			}
			for _, next := range order[n:] { // the first that is not its own
				if w := c.writes[next]; w.txn != i {
					c.edge(i, w.txn, rw, o.Key)
					break
				}
			}
		}
	}
}

// findCycles reports a short cycle of the worst kind in each strongly connected set
// of transactions.
func (c *checker) findCycles() {
	done := map[int]bool{} // by transaction: something worse was found in its knot
	for _, search := range []struct {
		anomaly     Anomaly
		first, then kind // edges of the cycle
	}{
		{G0, ww, ww},
		{G1c, wr, ww | wr},
		{GSingle, rw, ww | wr},
		{G2, rw, ww | wr | rw},
	} {
		for _, knot := range c.knots(search.first | search.then) {
			members := map[int]bool{}
			skip := false
			for _, i := range knot {
				members[i] = true
				skip = skip || done[i]
			}
			if skip {
				continue
			}
			var shortest []edge
			at := 0
			for _, start := range c.starts(knot, members, search.first) {
				found := c.around(members, start, search.first, search.then)
				if found != nil && (shortest == nil || len(found) < len(shortest)) {
					shortest, at = found, start
				}
			}
			if shortest == nil {
				continue
			}
			for i := range members {
				done[i] = true
			}
			c.reportCycle(search.anomaly, at, shortest)
		}
	}
}

// most bounds the transactions of a set that are tried for the shortest cycle,
// which takes quadratic time in a large one.
const most = 500

// starts returns the transactions of a set at which a cycle may begin.
func (c *checker) starts(knot []int, members map[int]bool, first kind) []int {
	var found []int
	for _, i := range knot {
		if len(found) < most && slices.ContainsFunc(c.edges[i], func(e edge) bool { return e.kind&first != 0 && members[e.to] }) {
			found = append(found, i)
		}
	}
	return found
}

func (c *checker) reportCycle(a Anomaly, start int, path []edge) {
	var said []string
	involved := []int{start}
	from := start
	for _, e := range path {
		why := map[kind]string{ww: "appended before", wr: "was read by", rw: "did not see"}[e.kind]
		said = append(said, fmt.Sprintf("%s %s %s (%d)", c.txns[from].ID, why, c.txns[e.to].ID, e.key))
		from = e.to
		if from != start {
			involved = append(involved, from)
		}
	}
	c.report(a, strings.Join(said, ", "), involved...)
}

// around returns a shortest cycle within members that begins at start with an edge
// of the kind first and goes on with edges of kinds, or nil.
func (c *checker) around(members map[int]bool, start int, first, kinds kind) []edge {
	type step struct {
		edge
		before int // in queue, -1: start
	}
	var queue []step
	seen := map[int]bool{}
	push := func(i, before int, allowed kind) []edge {
		for _, e := range c.edges[i] {
			if e.kind&allowed == 0 || !members[e.to] || seen[e.to] {
				continue
			}
			queue = append(queue, step{e, before})
			if e.to == start {
				var path []edge
				for n := len(queue) - 1; n >= 0; n = queue[n].before {
					path = append(path, queue[n].edge)
				}
				slices.Reverse(path)
				return path
			}
			seen[e.to] = true
		}
		return nil
	}
	if path := push(start, -1, first); path != nil {
		return path
	}
	for n := 0; n < len(queue); n++ {
		if path := push(queue[n].to, n, kinds); path != nil {
			return path
		}
	}
	return nil
}

// knots returns the sets of at least two transactions that all come before each
// other, by edges of kinds: Tarjan's strongly connected components.
func (c *checker) knots(kinds kind) [][]int {
	type frame struct{ node, next int }
	var (
		found   [][]int
		counter int
		index   = make([]int, len(c.edges)) // from 1
		low     = make([]int, len(c.edges))
		onStack = make([]bool, len(c.edges))
		stack   []int
	)
	for root := range c.edges {
		if index[root] != 0 {
			continue
		}
		calls := []frame{{node: root}}
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			n := f.node
			if f.next == 0 {
				counter++
				index[n], low[n] = counter, counter
				stack, onStack[n] = append(stack, n), true
			}
			if f.next < len(c.edges[n]) {
				e := c.edges[n][f.next]
				f.next++
				switch {
				case e.kind&kinds == 0:
				case index[e.to] == 0:
					calls = append(calls, frame{node: e.to})
				case onStack[e.to]:
					low[n] = min(low[n], index[e.to])
				}
				continue
			}
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				parent := calls[len(calls)-1].node
				low[parent] = min(low[parent], low[n])
			}
			if low[n] != index[n] {
				continue
			}
			var members []int
			for {
				m := stack[len(stack)-1]
				stack, onStack[m] = stack[:len(stack)-1], false
				members = append(members, m)
				if m == n {
					break
				}
			}
			if len(members) > 1 {
				slices.Sort(members)
				found = append(found, members)
			}
		}
	}
	return found
}
