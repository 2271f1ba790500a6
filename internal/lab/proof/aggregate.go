package main

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"

	"github.com/rowkeeper/rowkeeper/owner"
)

var aggregates = []string{"sum", "min", "max", "avg"}

// aggregated returns the package's aggregates of a column.
func aggregated[R, V any](c owner.ColumnOf[R, V]) func(context.Context, owner.DB, owner.Reader[R], string) (any, error) {
	call := map[string]func(context.Context, owner.DB, owner.Reader[R]) (V, error){"sum": c.Sum, "min": c.Min, "max": c.Max}
	return func(ctx context.Context, db owner.DB, rows owner.Reader[R], function string) (any, error) {
		if function == "avg" {
			v, err := c.Avg(ctx, db, rows)
			return v, err
		}
		v, err := call[function](ctx, db, rows)
		return value(v), err
	}
}

// aggregate makes an aggregate of a column over the rows.
func (r reading[R, O]) aggregate(s *source, op *operation) {
	function := pick(s, aggregates...)
	op.kind = function
	q := r.some(s)
	i := s.n(len(r.e.fields))
	if !r.e.fields[i].number && !s.one(8) {
		i = s.n(len(r.e.fields))
	}
	f := r.e.fields[i]
	arithmetic := function == "sum" || function == "avg"
	op.misuse = q.misuse || r.grouped || f.hidden || arithmetic && !f.number
	switch {
	case s.one(25):
		q.built, op.misuse = q.built.Limit(2), true
	case s.one(25):
		q.built, op.misuse = q.built.ForUpdate(), true
	}
	var have any
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		have, err = f.aggregate(ctx, db, q.built, function)
		return err
	}
	kind := reflect.TypeOf(f.at(new(R))).Elem()
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	var want any
	var wild bool
	op.expected = func(cr bool) outcome {
		if kind.Kind() == reflect.Bool && !cr {
			return outcome{noFunction}
		}
		var values []any
		for _, row := range r.e.chosen(q.where, r.who, cr) {
			values = append(values, f.get(&row))
		}
		want, wild = fold(function, values, cr)
		number, whole := want.(*big.Rat)
		switch {
		case wild:
			return outcome{nil, outOfRange}
		case want == nil:
			return outcome{owner.ErrNotFound}
		case function == "sum" && whole && kind.Kind() != reflect.Float64 && (!number.Num().IsInt64() || reflect.New(kind).Elem().OverflowInt(number.Num().Int64())):
			return outcome{errScan}
		}
		return nil
	}
	op.result = func(bool) error {
		if !wild && !near(have, want) {
			return fmt.Errorf("the %s is %v instead of %v", function, have, want)
		}
		return nil
	}
}

// fold computes an aggregate as SQL does: a *big.Rat of integers, or else a value
// of the values' type; nil for none. A sum of floats near the greatest one is wild:
// engines may report that it is out of range, and the result depends on the order
// in which they add.
func fold(function string, values []any, cockroach bool) (result any, wild bool) {
	values = slices.DeleteFunc(slices.Clone(values), func(v any) bool { return v == nil })
	float := false
	if len(values) > 0 {
		_, float = values[0].(float64)
	}
	switch {
	case function == "count":
		return big.NewRat(int64(len(values)), 1), false
	case len(values) == 0 && function != "sum":
		return nil, false
	case function == "min":
		return slices.MinFunc(values, func(a, b any) int { return compare(a, b, cockroach) }), false
	case function == "max":
		return slices.MaxFunc(values, func(a, b any) int { return compare(a, b, cockroach) }), false
	case float:
		sum, greatest := 0.0, 0
		for _, v := range values {
			sum += v.(float64)
			if v == math.MaxFloat64 {
				greatest++
			}
		}
		if function == "avg" { // for which PostgreSQL adds squares too
			return sum / float64(len(values)), greatest > 0 && len(values) > 1
		}
		return sum, greatest > 1
	}
	sum := new(big.Rat)
	for _, v := range values {
		sum.Add(sum, new(big.Rat).SetInt64(v.(int64)))
	}
	if function == "avg" {
		sum.Quo(sum, big.NewRat(int64(len(values)), 1))
	}
	return sum, false
}

// near reports whether the values are equal, except for the rounding of the
// engines.
func near(have, want any) bool {
	if r, ok := want.(*big.Rat); ok {
		if n, ok := have.(int64); ok {
			return r.Cmp(new(big.Rat).SetInt64(n)) == 0
		}
		want, _ = r.Float64()
	}
	h, ok := have.(float64)
	if !ok {
		return equal(have, want)
	}
	w := want.(float64)
	return h == w || math.IsNaN(h) && math.IsNaN(w) || math.Abs(h-w) <= 1e-12*math.Abs(w)
}
