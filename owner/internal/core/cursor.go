package core

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// Cursors encrypts and authenticates the cursors of [Query.Page], so clients can only
// return what they were given. The zero value is refused.
type Cursors struct {
	key   []byte       // authenticates
	block cipher.Block // hides
}

// NewCursors returns Cursors for a secret key of at least 32 bytes.
func NewCursors(key []byte) (*Cursors, error) {
	if len(key) < 32 {
		return nil, Misuse("the key of cursors must have at least 32 bytes, not %d", len(key))
	}
	if !slices.ContainsFunc(key, func(b byte) bool { return b != key[0] }) {
		return nil, Misuse("the key of cursors is not random")
	}
	keys, err := hkdf.Key(sha256.New, key, nil, "rowkeeper cursor 2", 64)
	if err != nil {
		return nil, Misuse("the key of cursors: %w", err)
	}
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return nil, Misuse("the key of cursors: %w", err)
	}
	return &Cursors{key: keys[:32], block: block}, nil
}

// seal returns what a cursor is bound to: the table, the conditions, the order and
// the arguments, of which the owner is the first. The columns to read are not part of
// it, so a new column leaves cursors valid.
func (c *Cursors) seal(q *Query) ([]byte, error) {
	var s Statement
	s.begin(q.Identity, 256, len(q.Where)+len(q.base))
	s.from(q, nil, 0)
	s.orderBy(q.Order)
	mac := hmac.New(sha256.New, c.key)
	part := func(b []byte) { fmt.Fprintf(mac, "%d:%s", len(b), b) }
	part([]byte("bound to"))
	part([]byte(s.sql.String()))
	for _, arg := range s.args {
		b, err := canonical(arg)
		if err != nil {
			return nil, Misuse("table %s: an argument of type %T cannot be bound to a cursor: %w", q.Table.Name, arg, err)
		}
		part(b)
	}
	return mac.Sum(nil), nil
}

// After returns the cursor that Page of the select returns for the rows after that one.
func (c *Cursors) After(q *Query, row unsafe.Pointer) (string, error) {
	if err := q.total(); err != nil {
		return "", err
	}
	seal, err := c.seal(q)
	if err != nil {
		return "", err
	}
	at := make(position, len(q.Order))
	for i, o := range q.Order {
		if at[i], err = written(o.Column.Pointer(row).Elem()); err != nil {
			return "", err
		}
	}
	return c.make(seal, at), nil
}

const macSize = sha256.Size

func (c *Cursors) sign(seal, plain []byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write(seal)
	mac.Write(plain)
	return mac.Sum(nil)
}

// hide encrypts and decrypts. The tag is that of the plain text, so only equal texts
// share a key stream.
func (c *Cursors) hide(tag, text []byte) []byte {
	out := make([]byte, len(text))
	cipher.NewCTR(c.block, tag[:aes.BlockSize]).XORKeyStream(out, text)
	return out
}

// make returns the cursor of a position: its tag, followed by each value with its
// length and 1, or by 0 for NULL.
func (c *Cursors) make(seal []byte, at position) string {
	var plain []byte
	for _, v := range at {
		if v == nil {
			plain = binary.AppendUvarint(plain, 0)
			continue
		}
		plain = binary.AppendUvarint(plain, uint64(len(*v))+1)
		plain = append(plain, *v...)
	}
	tag := c.sign(seal, plain)
	return base64.RawURLEncoding.EncodeToString(append(tag, c.hide(tag, plain)...))
}

// open returns the position in a cursor that was made for the same seal, and so for
// the same order.
func (c *Cursors) open(cursor string, seal []byte) (position, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") || len(b) < macSize {
		return nil, ErrCursor
	}
	tag := b[:macSize]
	plain := c.hide(tag, b[macSize:])
	if !hmac.Equal(tag, c.sign(seal, plain)) {
		return nil, ErrCursor
	}
	var at position
	for len(plain) > 0 {
		size, n := binary.Uvarint(plain)
		plain = plain[n:]
		if size == 0 {
			at = append(at, nil)
			continue
		}
		v := string(plain[:size-1])
		at, plain = append(at, &v), plain[size-1:]
	}
	return at, nil
}
