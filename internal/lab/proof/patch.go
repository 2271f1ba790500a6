package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// jsonName returns encoding/json's name of a field.
func jsonName(f reflect.StructField) string {
	switch name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name {
	case "-":
		return ""
	case "":
		return f.Name
	default:
		return name
	}
}

// members are the members of a request's body that match no column, or none of this
// type.
var (
	strangers = []string{"", "/", "~", "a/b~1", "id", "Id", "us\"er", "_p", "-", "__proto__", "Owner ", "owner_id", "😀"}
	misfits   = []string{`"a"`, `1`, `1.5`, `-1`, `1e2`, `1e400`, `9223372036854775808`, `true`, `null`, ` null `, `[]`, `{}`, `[1]`, `"\u0000"`, `"NaN"`, `{"Valid":true}`}
)

// patch changes a row by the body of a request, with a random set of members.
func (e *entity[R, O]) patch(s *source, who actor) *operation {
	args, key := e.pickKey(s)
	op := &operation{kind: "patch", claim: e.claim(prove.Update, who)}
	members := map[string]json.RawMessage{}
	for _, f := range e.fields {
		usual := !f.fixed && !f.server && !f.hidden && f.json != ""
		if usual && s.one(2) || s.one(40) {
			members[f.memberName()] = f.member(s)
		}
	}
	if s.one(12) {
		members[pick(s, strangers...)] = json.RawMessage(pick(s, misfits...))
	}
	set, refused := e.patched(members)
	op.misuse = refused != nil
	op.refusal = func(err error) bool {
		var have *owner.PatchError
		return errors.As(err, &have) && have.Field == refused.Field && have.Reason == refused.Reason
	}
	op.claim.Assign = []string{}
	for _, i := range set.fields {
		op.claim.Assign = append(op.claim.Assign, e.fields[i].name)
	}
	op.run = func(ctx context.Context, db owner.DB) error {
		assignments, err := e.table.Patch(members)
		if err != nil {
			return err
		}
		return e.table.In(e.scope(who)).Update(args...).Set(assignments...).Exec(ctx, db)
	}
	var at int
	var changed R
	op.expected = func(cr bool) outcome {
		if at = e.find(key, who); at < 0 {
			return outcome{owner.ErrNotFound}
		}
		changed, _ = e.apply(e.rows[at], set, cr)
		if !e.points(&changed, who, func(f int) bool { return slices.Contains(set.fields, f) }) {
			return outcome{owner.ErrReference}
		}
		all := slices.Clone(e.rows)
		all[at] = changed
		if e.twice(all) {
			return outcome{uniqueViolation, owner.ErrReference}
		}
		return nil
	}
	op.result = func(bool) error {
		e.rows[at] = changed
		return nil
	}
	return op
}

// memberName returns the field's name in JSON, or a name by which careless code
// might reach the field.
func (f *field[R]) memberName() string {
	if f.json == "" {
		return f.name
	}
	return f.json
}

// member returns a JSON value for the field, sometimes one of another type.
func (f *field[R]) member(s *source) json.RawMessage {
	if s.one(20) {
		return json.RawMessage(pick(s, misfits...))
	}
	v := f.eval(f.draw(s))
	if x, ok := v.(float64); ok && (math.IsNaN(x) || math.IsInf(x, 0)) {
		return json.RawMessage("null")
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// patched returns the effect of the members, or the expected refusal.
func (e *entity[R, O]) patched(members map[string]json.RawMessage) (set changes[R], refused *owner.PatchError) {
	if len(members) == 0 {
		return set, &owner.PatchError{Reason: "nothing_to_change"}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		refuse := func(reason string) (changes[R], *owner.PatchError) {
			escaped := strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
			return set, &owner.PatchError{Field: "/" + escaped, Reason: reason}
		}
		i := slices.IndexFunc(e.fields, func(f field[R]) bool { return f.json != "" && f.json == name && !f.hidden })
		if i < 0 {
			return refuse("unknown_field")
		}
		f := e.fields[i]
		if f.fixed || f.server {
			return refuse("read_only_field")
		}
		text := strings.TrimSpace(string(members[name]))
		if strings.Contains(text, `\u0000`) && text[0] == '"' {
			return refuse("invalid_characters")
		}
		v, fits := fromJSON(reflect.TypeOf(f.at(new(R))).Elem(), text)
		if !fits {
			return refuse("wrong_type")
		}
		set.fields = append(set.fields, i)
		set.apply = append(set.apply, func(r *R, _ bool) error { f.put(r, v); return nil })
	}
	return set, nil
}

// fromJSON reads a value of that type, by the rules of JSON alone.
func fromJSON(t reflect.Type, text string) (v any, fits bool) {
	out := reflect.New(t).Elem()
	to := out
	if t.Kind() == reflect.Pointer {
		if text == "null" {
			return out.Interface(), true
		}
		out.Set(reflect.New(t.Elem()))
		to = out.Elem()
	}
	switch k := to.Kind(); {
	case k == reflect.String && text[0] == '"':
		var s string
		fits = json.Unmarshal([]byte(text), &s) == nil
		to.SetString(s)
	case k == reflect.Bool && (text == "true" || text == "false"):
		to.SetBool(text == "true")
		fits = true
	case to.CanInt():
		n, err := strconv.ParseInt(text, 10, to.Type().Bits())
		fits = err == nil
		to.SetInt(n)
	case to.CanFloat():
		n, err := strconv.ParseFloat(text, 64)
		fits = err == nil && text[0] != '"'
		to.SetFloat(n)
	}
	return out.Interface(), fits
}
