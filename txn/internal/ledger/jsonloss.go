package ledger

import (
	"fmt"
	"strings"
)

// lossError names the part of a value that its JSON does not represent.
type lossError struct {
	path string // such as .Items[].price
	why  string
	text bool // the cause is invalid text, which comes from outside
}

func (e *lossError) Error() string {
	path := strings.TrimPrefix(e.path, ".")
	if path == "" {
		path = "it"
	}
	return path + " " + e.why
}

func untold(why string, args ...any) error { return &lossError{why: fmt.Sprintf(why, args...)} }

func notText(why string) error { return &lossError{why: why, text: true} }

// at puts a step in front of the path of err, if that is a lossError.
func at(step string, err error) error {
	if e, ok := err.(*lossError); ok {
		e.path = step + e.path
	}
	return err
}
