//go:build goexperiment.jsonv2

package strictjson

import (
	"encoding/json/v2"
	"reflect"
)

var unmarshalerFromType = reflect.TypeFor[json.UnmarshalerFrom]()

// readsItself reports whether a type decodes itself from a stream, which
// encoding/json supports in this experiment only.
func readsItself(t reflect.Type) bool { return t.Implements(unmarshalerFromType) }
