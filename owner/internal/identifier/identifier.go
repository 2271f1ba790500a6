// Package identifier keeps names within the length that PostgreSQL stores.
package identifier

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// Max is the length in bytes to which PostgreSQL truncates a name: NAMEDATALEN - 1.
const Max = 63

// Shorten returns a name that PostgreSQL stores completely. Names that are too long
// end in a hash, so that they stay distinct.
func Shorten(name string) string {
	if len(name) <= Max {
		return name
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return strings.ToValidUTF8(name[:Max-17], "") + "_" + fmt.Sprintf("%016x", h.Sum64())
}
