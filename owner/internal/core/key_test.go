package core

import (
	"reflect"
	"testing"
)

func TestWrongNumberOfValuesInAKey(t *testing.T) {
	t.Parallel()
	type row struct {
		User int64 `db:"user_id" owner:"owner"`
		Year int16 `db:"year" owner:"pk"`
		N    int32 `db:"n" owner:"pk"`
	}
	table := MustDeclare("invoices", reflect.TypeFor[row](), &Table{OwnerTypes: []reflect.Type{reflect.TypeFor[int64]()}}, func(*Declaration) {})
	for given, key := range map[string][]any{
		"0 values were": nil,
		"1 value was":   {int16(2026)},
		"3 values were": {int16(2026), int32(1), 2},
	} {
		_, err := table.keyArguments(key)
		want := "owner: table invoices: the key is (year int16, n int32), but " + given + " given"
		if err == nil || err.Error() != want {
			t.Errorf("%v instead of %s", err, want)
		}
	}
}
