package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// Cursors encrypts and authenticates the cursors of [Select.Page], so clients can
// only return what they were given. Make one with [NewCursors]; the zero value is
// refused.
type Cursors struct {
	untyped *core.Cursors
}

// NewCursors returns Cursors for a secret key of at least 32 bytes, which all
// processes of the service share. A cursor is not valid with another key.
func NewCursors(key []byte) (*Cursors, error) {
	c, err := core.NewCursors(key)
	if err != nil {
		return nil, err
	}
	return &Cursors{untyped: c}, nil
}
