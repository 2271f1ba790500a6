package ownertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// writes returns the probes that change or delete the row.
func (t target[R, O]) writes() []probe {
	key, own := t.key(&t.row), t.key(&t.own)
	var out []probe
	add := func(name string, run func(ctx context.Context, tx pgx.Tx) error) { out = append(out, write(name, run)) }
	control := func(like string, run func(ctx context.Context, tx pgx.Tx) error) {
		add(like+", but one's own", run)
		out[len(out)-1].own = like
	}
	affected := func(name string, run func(ctx context.Context, tx pgx.Tx) (int64, error)) {
		out = append(out, probe{name: name, kind: writing, run: func(ctx context.Context, tx pgx.Tx) (any, error) { return run(ctx, tx) }})
	}

	add("Delete by its key", func(ctx context.Context, tx pgx.Tx) error { return t.in.Delete(key...).Exec(ctx, tx) })
	add("Queue a delete by its key", func(ctx context.Context, tx pgx.Tx) error {
		return queued(ctx, tx, func(q owner.Queue) error { return t.in.Delete(key...).Queue(q) })
	})
	control("Delete by its key", func(ctx context.Context, tx pgx.Tx) error { return t.in.Delete(own...).Exec(ctx, tx) })
	add("TransferTo the stranger, by its key", func(ctx context.Context, tx pgx.Tx) error {
		return t.in.TransferTo(ctx, tx, t.world.stranger, key...)
	})
	conditions := t.conditions()
	names := slices.Sorted(maps.Keys(conditions))
	for _, name := range names {
		where := conditions[name]
		affected("DeleteWhere "+name, func(ctx context.Context, tx pgx.Tx) (int64, error) { return t.in.DeleteWhere(where).Exec(ctx, tx) })
	}
	var versions []int64
	if v := t.def.Version; v != nil {
		n := value(&t.row, v).Convert(reflect.TypeFor[int64]()).Interface().(int64)
		versions = []int64{n, n + 1}
	}
	for _, at := range versions {
		add(fmt.Sprintf("Delete At(%d) by its key", at), func(ctx context.Context, tx pgx.Tx) error { return t.in.Delete(key...).At(at).Exec(ctx, tx) })
	}
	for i, c := range t.assignable() {
		set := t.set(c, value(&t.own, c))
		update := t.in.Update(key...).Set(set)
		named := func(operation string) string { return operation + " of " + c.Name + " by its key" }
		add(named("Update"), func(ctx context.Context, tx pgx.Tx) error { return update.Exec(ctx, tx) })
		for _, name := range names {
			where := conditions[name]
			affected("UpdateWhere "+name+", of "+c.Name, func(ctx context.Context, tx pgx.Tx) (int64, error) {
				return t.in.UpdateWhere(where).Set(set).Exec(ctx, tx)
			})
		}
		if i > 0 { // the following is the same for all columns
			continue
		}
		out = append(out, probe{name: named("Update … Returning"), kind: writing, run: func(ctx context.Context, tx pgx.Tx) (any, error) {
			return update.Returning(ctx, tx)
		}})
		add(named("Queue an update"), func(ctx context.Context, tx pgx.Tx) error { return queued(ctx, tx, update.Queue) })
		control(named("Update"), func(ctx context.Context, tx pgx.Tx) error { return t.in.Update(own...).Set(set).Exec(ctx, tx) })
		for _, at := range versions {
			add(fmt.Sprintf("%s At(%d)", named("Update"), at), func(ctx context.Context, tx pgx.Tx) error { return update.At(at).Exec(ctx, tx) })
			tag := fmt.Sprintf(`"%d"`, at)
			add(fmt.Sprintf("%s IfMatch(%s)", named("Update"), tag), func(ctx context.Context, tx pgx.Tx) error {
				_, err := update.IfMatch(tag).Returning(ctx, tx)
				return err
			})
		}
	}
	return append(out, t.patches()...)
}

// patches returns updates with patches from a client.
func (t target[R, O]) patches() []probe {
	var out []probe
	all, whole := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if b, err := json.Marshal(t.row); err != nil || json.Unmarshal(b, &whole) != nil {
		clear(whole)
	}
	for _, c := range t.def.Columns {
		if c.JSON == "" {
			continue
		}
		sent, there := whole[c.JSON] // with the option "string" applied
		if !there {
			var err error
			if sent, err = json.Marshal(value(&t.row, c).Interface()); err != nil {
				continue
			}
		}
		if !c.Hidden && !c.Server && !c.Fixed() {
			all[c.JSON] = sent
			continue
		}
		p := write("Patch of "+c.Name, func(context.Context, pgx.Tx) error {
			_, err := t.table.Patch(map[string]json.RawMessage{c.JSON: sent})
			var refused *owner.PatchError
			if !errors.As(err, &refused) {
				return nil
			}
			return err
		})
		p.refused = true
		out = append(out, p)
	}
	if len(all) > 0 {
		out = append(out, write("Update with a Patch, by its key", func(ctx context.Context, tx pgx.Tx) error {
			set, err := t.table.Patch(all)
			if err != nil {
				return err
			}
			return t.in.Update(t.key(&t.row)...).Set(set...).Exec(ctx, tx)
		}))
	}
	return out
}

// givenValues sets values of the stranger in a row of one's own: values that may have
// to be unique, and foreign keys.
func (t target[R, O]) givenValues() []probe {
	var out []probe
	own := t.key(&t.own)
	change := func(name string, refused bool, set ...owner.Assignment[R]) {
		p := write(name, func(ctx context.Context, tx pgx.Tx) error { return t.in.Update(own...).Set(set...).Exec(ctx, tx) })
		p.refused = refused
		out = append(out, p)
	}
	for _, c := range t.assignable() {
		change("Update of "+c.Name+" to the stranger's", false, t.set(c, value(&t.row, c)))
	}
	for _, unique := range t.world.unique[t.def] {
		var set []owner.Assignment[R]
		for _, c := range t.assignable() {
			if slices.Contains(unique.columns, c.Name) {
				set = append(set, t.set(c, value(&t.row, c)))
			}
		}
		if len(set) > 1 {
			change("Update of all columns of "+unique.name+" to the stranger's", false, set...)
		}
	}
	for _, r := range t.def.References {
		row := t.row
		if !t.pointAtStrangers(&row, r) {
			continue
		}
		refused := ownersOf(r.Parent) == ownersOf(t.def) // otherwise it may be the tenant's, to whom both belong
		if !slices.ContainsFunc(r.From, func(c *core.Column) bool { return c.Fixed() }) {
			var set []owner.Assignment[R]
			for _, c := range r.From {
				set = append(set, t.set(c, value(&row, c)))
			}
			change("Update to point at the stranger's row of "+r.Parent.Name, refused, set...)
		}
		fresh := t.fresh(&row, true)
		for _, p := range t.insertions(fresh, "pointing at the stranger's row of "+r.Parent.Name) {
			p.refused = refused
			out = append(out, p)
		}
	}
	return out
}

// ownersOf returns how many columns hold the owner of a row.
func ownersOf(def *core.Table) int {
	for def.Through != nil {
		def = def.Through
	}
	return len(def.Owners)
}

// pointAtStrangers sets the foreign key of row to a row of the stranger, if one is
// known.
func (t target[R, O]) pointAtStrangers(row *R, r *core.Reference) bool {
	if parents := t.world.strangers[r.Parent]; len(parents) > 0 {
		parent := reflect.ValueOf(parents[0]).Elem()
		for i, c := range r.From {
			assign(value(row, c), parent.FieldByIndex(r.Parent.Key[i].Index))
		}
		return true
	}
	return false
}

// assign sets a field, which may be a pointer, to a value.
func assign(field, to reflect.Value) {
	if field.Type() == to.Type() {
		field.Set(to)
		return
	}
	field.Set(reflect.New(to.Type()))
	field.Elem().Set(to)
}
