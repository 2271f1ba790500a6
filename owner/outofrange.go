package owner

import "github.com/rowkeeper/rowkeeper/internal/pgerr"

// noSuchKey reports whether a statement failed because a value of the key, of n
// columns and bound at number first, is out of the range of its column, so that no
// row has that key.
func noSuchKey(err error, first, n int) bool {
	at := pgerr.RefusedArgument(err)
	return at >= first && at < first+n
}
