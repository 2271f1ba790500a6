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
	"time"
	"unicode/utf8"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// Owner returns the owner of a request. Its text is part of the namespace of the keys,
// so it must be the same for all requests of one owner and differ between owners: an
// id, never a name that can change hands. An error refuses the request.
type Owner func(r *http.Request) (string, error)

// Func carries out a request in a transaction and returns the response. It may run
// again, each time with an unread body. An error rolls back, leaves the key free and is
// returned by the handler.
type Func func(ctx context.Context, tx *txn.Tx, r *http.Request) (Response, error)

// Handler returns a handler that executes f once for requests with the same key, and
// answers repeated requests with the first response. endpoint names the handler: the
// same key at another endpoint is another key. Handler panics if an argument is
// invalid.
//
// A response that an earlier call produced has the header [ReplayedHeader].
//
// The handler returns an error, so it fits errs.Catalog.Handler, which answers
//
//   - 400 for a key that is missing or invalid ([*KeyError]);
//   - 409 while a request with the key is in progress ([once.ErrInFlight]);
//   - 413 for a body of more than [MaxBody] bytes;
//   - 422 for a key that was used for another request ([once.ErrKeyReused]): another
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

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 64 << 10

// Option configures a [Handler].
type Option func(*handler)

// Optional also executes requests without a key, each time they are made. By default
// they are refused.
func Optional() Option { return func(h *handler) { h.optional = true } }

// Wait makes a request wait for another one in progress with its key. By default it is
// refused.
func Wait() Option { return func(h *handler) { h.wait = true } }

// Retention sets how long keys are kept, as in [once.Ledger]. The default is 24 hours.
func Retention(d time.Duration) Option { return func(h *handler) { h.retention = d } }

// Transaction sets options of the transaction, except for [once.Key], which belongs to
// the handler.
func Transaction(opts ...txn.Option) Option {
	return func(h *handler) { h.txn = append(h.txn, opts...) }
}

type handler struct {
	db        txn.DB
	endpoint  string
	owner     Owner
	f         Func
	optional  bool
	wait      bool
	retention time.Duration
	txn       []txn.Option
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
	opts := append([]txn.Option{txn.Name(h.endpoint)}, h.txn...)
	if key != "" {
		ledger := once.Ledger{Retention: h.retention, NoWait: !h.wait}
		opts = append(opts, ledger.Key(namespace(h.endpoint, owner), key, fingerprint(r, body)))
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

// namespace has a fixed length, and separates ("a", "bc") from ("ab", "c").
func namespace(endpoint, owner string) string {
	hash := sha256.Sum256([]byte(owner))
	return endpoint + "/" + hex.EncodeToString(hash[:])
}

// fingerprint returns the parts that must be equal in a repeated request.
func fingerprint(r *http.Request, body []byte) any {
	hash := sha256.Sum256(body)
	return []string{r.Method, r.URL.EscapedPath(), asText(r.URL.RawQuery), hex.EncodeToString(hash[:])}
}

// asText escapes the non-ASCII bytes of a query that is not text. The meaning is the
// same.
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
