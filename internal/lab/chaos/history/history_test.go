package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func app(key int64, v Value) Op          { return Op{Key: key, Append: v} }
func read(key int64, saw ...Value) Op    { return Op{Key: key, Read: true, Saw: saw} }
func done(id string, ops ...Op) Txn      { return Txn{ID: id, Ops: ops} }
func undone(id string, ops ...Op) Txn    { return Txn{ID: id, Status: Aborted, Ops: ops} }
func unsettled(id string, ops ...Op) Txn { return Txn{ID: id, Status: Unknown, Ops: ops} }

type lists = map[int64][]Value

func TestAnomalies(t *testing.T) {
	for _, c := range []struct {
		name  string
		txns  []Txn
		final lists
		want  Anomaly // "": none
		who   []string
	}{
		{"nothing", nil, nil, "", nil},
		{"one after the other",
			[]Txn{done("a", app(1, 1), app(2, 2)), done("b", read(1, 1), app(1, 3), read(1, 1, 3)), done("c", read(1, 1, 3), read(2, 2))},
			lists{1: {1, 3}, 2: {2}}, "", nil},
		{"several appends and a read of one's own", []Txn{done("a", app(1, 1), read(1, 1), app(1, 2), read(1, 1, 2))}, lists{1: {1, 2}}, "", nil},
		{"a read of nothing", []Txn{done("a", read(1)), done("b", app(1, 1))}, lists{1: {1}}, "", nil},
		{"rolled back and not seen", []Txn{undone("a", app(1, 1), read(1, 7)), done("b", read(1))}, nil, "", nil},
		{"unknown and there", []Txn{unsettled("a", app(1, 1)), done("b", read(1, 1))}, lists{1: {1}}, "", nil},
		{"unknown and not there", []Txn{unsettled("a", app(1, 1), read(2, 9)), done("b", read(1))}, nil, "", nil},

		{"appended in two orders",
			[]Txn{done("a", app(1, 1), app(2, 2)), done("b", app(1, 3), app(2, 4))},
			lists{1: {1, 3}, 2: {4, 2}}, G0, []string{"a", "b"}},
		{"rolled back and seen", []Txn{undone("a", app(1, 1)), done("b", read(1, 1))}, nil, G1a, []string{"a", "b"}},
		{"unknown, seen once and then gone", []Txn{unsettled("a", app(1, 1)), done("b", read(1, 1))}, nil, G1a, []string{"a", "b"}},
		{"unknown, in part",
			[]Txn{unsettled("a", app(1, 1), app(2, 2))}, lists{1: {1}}, Lost, []string{"a"}},
		{"seen in the middle", []Txn{done("a", app(1, 1), app(1, 2)), done("b", read(1, 1))}, lists{1: {1, 2}}, G1b, []string{"a", "b"}},
		{"each saw the other",
			[]Txn{done("a", app(1, 1), read(2, 2)), done("b", app(2, 2), read(1, 1))},
			lists{1: {1}, 2: {2}}, G1c, []string{"a", "b"}},
		{"seen behind what was appended later",
			[]Txn{done("a", app(1, 1), app(2, 4)), done("b", app(1, 2), app(3, 3)), done("c", read(3, 3), app(2, 5))},
			lists{1: {1, 2}, 2: {5, 4}, 3: {3}}, G1c, []string{"a", "b", "c"}},
		{"a skewed read",
			[]Txn{done("a", app(1, 1), app(2, 2)), done("b", read(1, 1), read(2))},
			lists{1: {1}, 2: {2}}, GSingle, []string{"a", "b"}},
		{"a lost update",
			[]Txn{done("a", read(1), app(1, 1)), done("b", read(1), app(1, 2))},
			lists{1: {1, 2}}, GSingle, []string{"a", "b"}},
		{"a skewed read of an empty list, three transactions",
			[]Txn{done("a", read(2), read(1, 1)), done("b", app(2, 2)), done("c", read(2, 2), app(1, 1))},
			lists{1: {1}, 2: {2}}, GSingle, []string{"a", "b", "c"}},
		{"a skewed write",
			[]Txn{done("a", read(1), app(2, 2)), done("b", read(2), app(1, 1))},
			lists{1: {1}, 2: {2}}, G2, []string{"a", "b"}},
		{"a skewed write of three",
			[]Txn{done("a", read(1), app(2, 2)), done("b", read(2), app(3, 3)), done("c", read(3), app(1, 1))},
			lists{1: {1}, 2: {2}, 3: {3}}, G2, []string{"a", "b", "c"}},
		{"a read-only transaction between",
			[]Txn{done("deposit", read(1), app(1, 1)), done("report", read(1, 1), read(2)), done("charge", read(1), read(2), app(2, 2))},
			lists{1: {1}, 2: {2}}, G2, []string{"deposit", "report", "charge"}},

		{"its own is not seen", []Txn{done("a", app(1, 1), read(1))}, lists{1: {1}}, Internal, []string{"a"}},
		{"its own is seen too early", []Txn{done("a", read(1, 1), app(1, 1))}, lists{1: {1}}, Internal, []string{"a"}},
		{"not the same twice",
			[]Txn{done("a", read(1), read(1, 1)), done("b", app(1, 1))}, lists{1: {1}}, Internal, []string{"a"}},
		{"its own is not seen behind a read",
			[]Txn{done("a", read(1), app(1, 1), read(1))}, lists{1: {1}}, Internal, []string{"a"}},
		{"committed and not there", []Txn{done("a", app(1, 1)), done("b", app(1, 2))}, lists{1: {2}}, Lost, []string{"a"}},
		{"rolled back and there", []Txn{undone("a", app(1, 1))}, lists{1: {1}}, Dirty, []string{"a"}},
		{"there twice", []Txn{done("a", app(1, 1))}, lists{1: {1, 1}}, Twice, []string{"a"}},
		{"from nowhere", []Txn{done("a", app(1, 1))}, lists{1: {1, 9}}, Unwritten, nil},
		{"from nowhere, seen", []Txn{done("a", read(1, 9))}, nil, Unwritten, []string{"a"}},
		{"in another list", []Txn{done("a", app(1, 1))}, lists{2: {1}}, Unwritten, nil},
		{"seen in another order",
			[]Txn{done("a", app(1, 1)), done("b", app(1, 2)), done("c", read(1, 2, 1))}, lists{1: {1, 2}}, Incompatible, []string{"c"}},
		{"seen and then gone",
			[]Txn{done("a", app(1, 1)), done("b", app(1, 2)), done("c", read(1, 1, 2))}, lists{1: {1}}, Lost, []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Check(c.txns, c.final)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.NotEmpty(t, found)
			require.Equal(t, c.want, found[0].Anomaly, "%v", found[0])
			var who []string
			for _, txn := range found[0].Txns {
				who = append(who, txn.ID)
			}
			require.ElementsMatch(t, c.who, who, "%v", found[0])
		})
	}
}

// A serial history has no anomaly, and nearly always has one after two of its reads
// are exchanged.
func TestSerialHistories(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		state, next := lists{}, Value(0)
		var txns []Txn
		for i := range 300 {
			t := Txn{ID: fmt.Sprint(i), Status: Status(rng.IntN(3))}
			kept := t.Status == Committed || t.Status == Unknown && rng.IntN(2) == 0
			working := lists{}
			for key, list := range state {
				working[key] = slices.Clone(list)
			}
			for range 1 + rng.IntN(4) {
				key := int64(rng.IntN(5) + i/50*5)
				if rng.IntN(2) == 0 {
					t.Ops = append(t.Ops, read(key, slices.Clone(working[key])...))
				} else {
					next++
					t.Ops = append(t.Ops, app(key, next))
					working[key] = append(working[key], next)
				}
			}
			if kept {
				state = working
			}
			txns = append(txns, t)
		}
		rng.Shuffle(len(txns), func(i, j int) { txns[i], txns[j] = txns[j], txns[i] })
		require.Empty(t, Check(txns, state), "seed %d", seed)

		// A transaction that goes back in time reads old values.
		spoiled := slices.Clone(txns)
		for i, t := range spoiled {
			if t.Status != Committed || len(t.Ops) < 2 || !t.Ops[0].Read || len(t.Ops[0].Saw) < 3 || t.Ops[1].Read || t.Ops[1].Key != t.Ops[0].Key {
				continue
			}
			ops := slices.Clone(t.Ops[:2])
			ops[0].Saw = ops[0].Saw[:len(ops[0].Saw)-2]
			rest := slices.Clone(t.Ops[2:])
			rest = slices.DeleteFunc(rest, func(o Op) bool { return o.Read })
			spoiled[i].Ops = append(ops, rest...)
			break
		}
		if !slices.EqualFunc(spoiled, txns, func(a, b Txn) bool { return len(a.Ops) == len(b.Ops) && fmt.Sprint(a) == fmt.Sprint(b) }) {
			require.NotEmpty(t, Check(spoiled, state), "seed %d", seed)
		}
	}
}

func TestLongCycleInALargeHistory(t *testing.T) {
	const n = 5_000
	var txns []Txn
	final := lists{}
	for i := range int64(n) { // each misses what the next one appends
		txns = append(txns, done(fmt.Sprint(i), read((i+1)%n), app(i, Value(i+1))))
		final[i] = []Value{Value(i + 1)}
	}
	found := Check(txns, final)
	require.Len(t, found, 1)
	require.Equal(t, G2, found[0].Anomaly)
	require.Len(t, found[0].Txns, n)
}

func TestAValueAppendedByTwoIsAMistakeOfTheCaller(t *testing.T) {
	require.Panics(t, func() { Check([]Txn{done("a", app(1, 1)), done("b", app(2, 1))}, nil) })
}
