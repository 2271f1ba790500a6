package owner

import (
	"encoding/hex"
	"iter"
	"reflect"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner/internal/identifier"
)

// Settings returns the parameters of the server, with their values, that tell policies
// of row-level security which owner a transaction acts for. Package owner/schema makes
// such policies. Set the parameters for the transaction only, with the option Setting
// of package txn, which sends them with BEGIN:
//
//	settings, err := me.Settings()
//	…
//	for name, value := range settings {
//		options = append(options, txn.Setting(name, value))
//	}
//
// or with SELECT set_config(name, value, true). There is one parameter, or two for a
// [Member], the tenant's first. The name is made from the owner's Go type and the
// name of its package, so the user 42 is not the tenant 42. If you rename one of
// these, make the policies again; otherwise no row is visible. A type with the method
//
//	func (UserID) SettingName() string { return "user_id" }
//
// chooses its own name: rowkeeper.user_id.
//
// A policy judges the parent of a row by the snapshot of the statement and locks
// nothing: SQL by hand on rows of [MustThrough] needs SERIALIZABLE to be right while
// their parents change owners.
//
// The zero Scope fails with [ErrUnscoped]. An owner that cannot be written as text is
// an error.
func (s Scope[O]) Settings() (iter.Seq2[string, string], error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	names := settingNames(ownerTypes[O]())
	values := make([]string, len(names))
	for i := range names {
		value, ok := settingText(s.id.arg[i])
		if !ok {
			return nil, misuse("Settings: an owner of type %s cannot be written as text", reflect.TypeFor[O]())
		}
		values[i] = value
	}
	return func(yield func(name, value string) bool) {
		for i, name := range names {
			if !yield(name, values[i]) {
				return
			}
		}
	}, nil
}

// settingText returns arg in the input format of its column's type. Arrays of bytes
// are UUIDs, which can be written in hex.
func settingText(arg any) (string, bool) {
	v := reflect.ValueOf(arg)
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	case v.Kind() == reflect.String:
		return v.String(), !strings.ContainsRune(v.String(), 0)
	case v.Kind() == reflect.Array && v.Len() == 16:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return hex.EncodeToString(b), true
	}
	return "", false // the meaning of a Valuer's []byte depends on the column
}

// settingNames returns the parameters for owners of these types. A user within a
// tenant has another parameter than the same user alone.
func settingNames(types []reflect.Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		name := word(t)
		if i > 0 {
			name += "_of_" + word(types[0])
		}
		out[i] = "rowkeeper." + identifier.Shorten(name)
	}
	return out
}

func word(t reflect.Type) string {
	name := t.String()
	if named, ok := reflect.Zero(t).Interface().(interface{ SettingName() string }); ok {
		if given := named.SettingName(); given != "" {
			name = given
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}
