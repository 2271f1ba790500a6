package core

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// canonical returns equal bytes only for equal values. It takes numbers and text as
// they are, since their JSON may show less.
func canonical(arg any) ([]byte, error) {
	if v, ok := arg.(driver.Valuer); ok {
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		arg = value
	}
	v := reflect.Indirect(reflect.ValueOf(arg))
	if !v.IsValid() {
		return fmt.Appendf(nil, "%T null", arg), nil
	}
	if at, ok := v.Interface().(time.Time); ok { // JSON cannot show years after 9999
		return fmt.Appendf(nil, "%T %d %d", arg, at.Unix(), at.Nanosecond()), nil
	}
	switch {
	case v.Kind() == reflect.String:
		return fmt.Appendf(nil, "%T %q", arg, v.String()), nil
	case v.CanFloat():
		return fmt.Appendf(nil, "%T %v", arg, v.Float()), nil
	case v.CanInt():
		return fmt.Appendf(nil, "%T %d", arg, v.Int()), nil
	case v.CanUint():
		return fmt.Appendf(nil, "%T %d", arg, v.Uint()), nil
	}
	b, err := json.Marshal(arg)
	return fmt.Appendf(nil, "%T %s", arg, b), err
}
