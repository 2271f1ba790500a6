package owner

import (
	"iter"
	"reflect"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
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
	if err := s.id.Check(); err != nil {
		return nil, err
	}
	names := core.SettingNames(ownerTypes[O]())
	values := make([]string, len(names))
	for i := range names {
		value, ok := core.SettingText(s.id.Arg[i])
		if !ok {
			return nil, core.Misuse("Settings: an owner of type %s cannot be written as text", reflect.TypeFor[O]())
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
