package errs

import (
	"net/http"
	"strings"
)

// acceptsJSON reports whether the Accept header of a request (RFC 9110, section
// 12.5.1) allows JSON in any form. A client that reads one kind of JSON can read a
// problem; only a client that excludes all of them gets text. A missing or malformed
// Accept header allows everything.
func acceptsJSON(h http.Header) bool {
	ranges := acceptRanges(h)
	if len(ranges) == 0 {
		return true
	}
	for _, r := range ranges {
		if r.wanted && isJSON(r.name) {
			return true
		}
	}
	return wants(ranges, "application/problem+json") || wants(ranges, "application/json")
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

type acceptRange struct {
	name   string // such as text/html, text/* or */*
	wanted bool   // the weight is not zero
}

// wants reports whether the most specific matching range accepts mediaType. It
// ignores parameters.
func wants(ranges []acceptRange, mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	for _, name := range []string{mediaType, kind + "/*", "*/*"} {
		found, wanted := false, false
		for _, r := range ranges {
			if r.name == name {
				found, wanted = true, wanted || r.wanted
			}
		}
		if found {
			return wanted
		}
	}
	return false
}

// acceptRanges skips what it cannot parse.
func acceptRanges(h http.Header) (ranges []acceptRange) {
	for _, element := range splitUnquoted(strings.Join(h.Values("Accept"), ","), ',') {
		parts := splitUnquoted(element, ';')
		r := acceptRange{name: strings.ToLower(strings.TrimSpace(parts[0])), wanted: true}
		kind, sub, ok := strings.Cut(r.name, "/")
		if !ok || kind == "" || sub == "" || kind == "*" && sub != "*" {
			continue
		}
		readable := true
		for _, p := range parts[1:] {
			name, value, _ := strings.Cut(p, "=")
			if strings.EqualFold(strings.TrimSpace(name), "q") {
				r.wanted, readable = weight(strings.TrimSpace(value))
				break
			}
		}
		if readable {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// weight parses a qvalue: 0 to 1 with up to three decimals.
func weight(q string) (wanted, ok bool) {
	whole, decimals, _ := strings.Cut(q, ".")
	digits := "0123456789"
	if whole == "1" {
		digits = "0"
	}
	if whole != "0" && whole != "1" || len(decimals) > 3 || strings.Trim(decimals, digits) != "" {
		return false, false
	}
	return whole == "1" || strings.Trim(decimals, "0") != "", true
}

// splitUnquoted splits at sep, but not within a quoted-string.
func splitUnquoted(s string, sep byte) (parts []string) {
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\':
			i++
		case !quoted && s[i] == sep:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
