package schema

import "slices"

// underParents replaces what the server says of a partition by what it says of the
// parent, as errs.Catalog.WithPartitions does, unless the partition has a rule of its own.
func (v *verification) underParents() {
	if !v.catalog.Inherited || v.live.cockroach {
		return
	}
	for _, l := range v.live.constraints {
		var signals []signal
		for _, s := range l.signals {
			if _, ok := v.lookup(l, s.name, s.table); !ok && s.table != "" {
				s.name, s.table = l.name, l.table
			}
			same := func(o signal) bool { return o.name == s.name && o.table == s.table }
			if i := slices.IndexFunc(signals, same); i >= 0 {
				signals[i].missing = signals[i].missing || s.missing
				signals[i].inUse = signals[i].inUse || s.inUse
				continue
			}
			signals = append(signals, s)
		}
		l.signals = signals
	}
	for _, g := range v.live.columns {
		for i, m := range g.members {
			if _, ok := v.lookupColumn(m.table, g.column); !ok {
				g.members[i].table = g.table
			}
		}
		slices.SortStableFunc(g.members, func(a, b memberColumn) int {
			switch {
			case a.rows == b.rows:
				return 0
			case a.rows:
				return -1
			}
			return 1
		})
	}
}
