package chaos

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strconv"
)

// nonce returns a text that is unique to an attempt. A proxy that sees it knows which call uses the
// connection.
func nonce(call int64, number int) string {
	return fmt.Sprintf("%s%d:%d:%s", nonceMark, call, number, rand.Text()[:8])
}

const nonceMark = "chaos:"

// callIn returns the id of the call whose nonce is in a message, or 0.
func callIn(data []byte) int64 {
	_, rest, found := bytes.Cut(data, []byte(nonceMark))
	if !found {
		return 0
	}
	digits, _, _ := bytes.Cut(rest, []byte(":"))
	id, _ := strconv.ParseInt(string(digits), 10, 64) // 0 if it is something else
	return id
}
