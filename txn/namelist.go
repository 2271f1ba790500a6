package txn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// isNameList reports whether a parameter's value is a list of names, each of which the
// server quotes when it is set: as one literal the list would be one name. For other
// lists, such as DateStyle, one literal is the list.
//
// Source: PostgreSQL, src/backend/utils/misc/guc_tables.c, GUC_LIST_QUOTE. Those that
// name files cannot be set in a session, or have no effect there.
func isNameList(parameter string) bool {
	return slices.Contains([]string{"search_path", "temp_tablespaces"}, strings.ToLower(parameter))
}

// splitNames splits a list as PostgreSQL's SplitIdentifierString does: unquoted names
// are folded to lower case, but only ASCII letters.
func splitNames(list string) (names []string, err error) {
	rest := trimSpace(list)
	if rest == "" {
		return []string{""}, nil // both parameters treat it as no names
	}
	for {
		var name string
		if strings.HasPrefix(rest, `"`) {
			name, rest, err = quotedName(rest)
		} else {
			name, rest, err = plainName(rest)
		}
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		switch rest = trimSpace(rest); {
		case rest == "":
			return names, nil
		case rest[0] != ',':
			return nil, fmt.Errorf("there is no comma before %q", rest)
		}
		rest = trimSpace(rest[1:])
	}
}

const listSpace = " \t\n\r\f\v"

func trimSpace(s string) string { return strings.TrimLeft(s, listSpace) }

func plainName(s string) (name, rest string, err error) {
	end := strings.IndexAny(s, ","+listSpace)
	if end < 0 {
		end = len(s)
	}
	if end == 0 {
		return "", "", errors.New("a name is missing")
	}
	fold := func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	return strings.Map(fold, s[:end]), s[end:], nil
}

func quotedName(s string) (name, rest string, err error) {
	for at := 1; ; {
		end := strings.IndexByte(s[at:], '"')
		if end < 0 {
			return "", "", errors.New("a quote is not closed")
		}
		name += s[at : at+end]
		if at += end + 1; !strings.HasPrefix(s[at:], `"`) {
			return name, s[at:], nil
		}
		name, at = name+`"`, at+1
	}
}
