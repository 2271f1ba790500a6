package idempotency

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/txn"
)

// Owner says whose request it is. Its text is a part of the namespace of the keys,
// so it must be the same for all requests of one owner and differ between owners:
// an id, never a name that changes hands. An error refuses the request.
type Owner func(r *http.Request) (string, error)

// Func carries out a request in a transaction, and returns what is answered. It
// runs again when the database says so, each time with a body that is unread. An
// error rolls back, leaves the key free and is returned by the handler.
type Func func(ctx context.Context, tx *txn.Tx, r *http.Request) (Response, error)

// Handler makes a handler of f that carries out a request with the same key once,
// and answers each time what it answered the first time. endpoint is its name: the
// same key at another endpoint is another key. What is wrong with the arguments is
// a panic.
//
// An answer that was made by another call than this one has the header
// [ReplayedHeader].
//
// It returns an error, so it fits into errs.Catalog.Handler, which answers
//
//   - 400 for a key that is missing or that cannot be read ([*KeyError]);
//   - 409 while a request with the key is under way ([txn.ErrInFlight]);
//   - 413 for a body of more than [MaxBody] bytes;
//   - 422 for a key that was used for another request ([txn.ErrKeyReused]): another
//     method, path, query or body.
//
// The problem details of 400, 409 and 422 name the header.
func Handler(db txn.DB, endpoint string, owner Owner, f Func, opts ...Option) func(w http.ResponseWriter, r *http.Request) error {
	h := handler{db: db, endpoint: endpoint, owner: owner, f: f}
	for _, o := range opts {
		o(&h)
	}
	if err := h.check(); err != nil {
		panic(err)
	}
	return h.serve
}

// MaxBody is how many bytes the body of a request may have.
const MaxBody = 64 << 10

// Option changes how a [Handler] works.
type Option func(*handler)

// Optional has requests without a key carried out as well, each time they are
// made. By default they are refused.
func Optional() Option { return func(h *handler) { h.optional = true } }

// Wait has a request wait for another one with its key that is under way, instead
// of being refused.
func Wait() Option { return func(h *handler) { h.wait = true } }

// Transaction gives the transaction options. Those of txn.Once are the handler's;
// [txn.Ledger] replaces what [Wait] says.
func Transaction(opts ...txn.Option) Option {
	return func(h *handler) { h.txn = append(h.txn, opts...) }
}

type handler struct {
	db       txn.DB
	endpoint string
	owner    Owner
	f        Func
	optional bool
	wait     bool
	txn      []txn.Option
}

func (h *handler) check() error {
	switch {
	case h.db == nil:
		return errors.New("idempotency: the database is nil")
	case h.endpoint == "" || len(h.endpoint) > longestEndpoint:
		return fmt.Errorf("idempotency: the name of the endpoint has not 1 to %d bytes", longestEndpoint)
	case h.owner == nil:
		return errors.New("idempotency: without an Owner one user would be given the response of another one")
	case h.f == nil:
		return errors.New("idempotency: the function is nil")
	}
	return nil
}

const longestEndpoint = 100

var errNoOwner = errors.New("idempotency: the owner of the request is empty")

func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	key, err := Key(r.Header)
	if err != nil {
		return err
	}
	if key == "" && !h.optional {
		return &KeyError{reasonMissing}
	}
	owner, err := h.owner(r)
	if err != nil {
		return err
	}
	if owner == "" {
		return errNoOwner
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody)); err != nil {
			return err
		}
	}
	opts := []txn.Option{txn.Name(h.endpoint), txn.Ledger{NoWait: !h.wait}}
	if opts = append(opts, h.txn...); key != "" {
		opts = append(opts, txn.Once(namespace(h.endpoint, owner), key, fingerprint(r, body)))
	}
	call := rand.Text()
	kept, err := txn.RunInTx(r.Context(), h.db, func(ctx context.Context, tx *txn.Tx) (stored, error) {
		again := r.WithContext(ctx)
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		response, err := h.f(ctx, tx, again)
		if err == nil {
			err = response.check()
		}
		return store(response, call), err
	}, opts...)
	if err != nil {
		return nameHeader(err)
	}
	if kept.Call != call {
		w.Header().Set(ReplayedHeader, "true")
	} else {
		w.Header().Del(ReplayedHeader)
	}
	kept.response().write(w)
	return nil
}

// namespace is of one length, and tells ("a", "bc") from ("ab", "c").
func namespace(endpoint, owner string) string {
	hash := sha256.Sum256([]byte(owner))
	return endpoint + "/" + hex.EncodeToString(hash[:])
}

// fingerprint is what has to be the same in a request that is made again.
func fingerprint(r *http.Request, body []byte) any {
	hash := sha256.Sum256(body)
	return []string{r.Method, r.URL.EscapedPath(), asText(r.URL.RawQuery), hex.EncodeToString(hash[:])}
}

// asText escapes what is not ASCII in a query that is not text, which means the same.
func asText(query string) string {
	if utf8.ValidString(query) {
		return query
	}
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
