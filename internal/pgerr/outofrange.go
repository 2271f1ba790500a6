package pgerr

import (
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

var (
	argument = regexp.MustCompile(`^failed to encode args\[(\d+)\]: `)
	// outOfRange matches the whole text of an innermost error, so that no value can look
	// like it. The last alternative is the text of database/sql.
	outOfRange = regexp.MustCompile(`^(-?[0-9.]+ is (greater than maximum|less than minimum) value for \w+|` +
		`date -?\d+ days from 2000-01-01 is out of range|uint64 values with high bit set are not supported)$`)
	copied = regexp.MustCompile(`unable to encode .*: -?[0-9.]+ is (greater than maximum|less than minimum) value for \w+$`)
	plain  = reflect.TypeOf(errors.New(""))
)

// OutOfRange reports whether a driver refused an argument, before it sent anything,
// because its value is too large or too small for the column. A value that was read
// and does not fit into its Go type is another error.
func OutOfRange(err error) bool { return refused(err, false) }

func refused(err error, argument bool) bool {
	if err == nil {
		return false
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		text := err.Error()
		argument = argument || strings.HasPrefix(text, "unable to encode ") || strings.HasPrefix(text, "sql: converting argument ")
		return refused(u.Unwrap(), argument)
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			if refused(inner, argument) {
				return true
			}
		}
		return false
	}
	return argument && reflect.TypeOf(err) == plain && outOfRange.MatchString(err.Error())
}

// CopyOutOfRange is [OutOfRange] for the message of SQLSTATE 57014, with which a server
// ends a COPY if pgx refuses a row.
func CopyOutOfRange(message string) bool { return copied.MatchString(message) }

// RefusedArgument returns the number, from 1, of the argument of a statement for which
// [OutOfRange] holds, and 0 for any other error.
func RefusedArgument(err error) int {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if m := argument.FindStringSubmatch(e.Error()); m != nil && OutOfRange(e) {
			n, _ := strconv.Atoi(m[1])
			return n + 1
		}
	}
	return 0
}
