//go:build !goexperiment.jsonv2

package strictjson

import "reflect"

// readsItself reports whether a type decodes itself from a stream, which
// encoding/json does not support without the experiment jsonv2.
func readsItself(reflect.Type) bool { return false }
