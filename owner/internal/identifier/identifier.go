// Package identifier keeps names within what PostgreSQL keeps of them.
package identifier

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Max is how many bytes of a name PostgreSQL keeps: NAMEDATALEN - 1.
const Max = 63

// Shorten returns a name that PostgreSQL keeps whole. Names that are too long get a
// hash at their end, so that they stay apart.
func Shorten(name string) string {
	if len(name) <= Max {
		return name
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return strings.ToValidUTF8(name[:Max-17], "") + "_" + fmt.Sprintf("%016x", h.Sum64())
}
