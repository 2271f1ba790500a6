package core

import "github.com/rowkeeper/rowkeeper/internal/pgerr"

// noSuchKey reports whether a statement failed because a value of the key is out of
// the range of its column, so no row has that key. The key has n columns, bound at
// number first.
func noSuchKey(err error, first, n int) bool {
	at := pgerr.RefusedArgument(err)
	return at >= first && at < first+n
}
