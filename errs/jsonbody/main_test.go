package jsonbody_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// translate returns the response for an error of Decode.
func translate(t *testing.T, err error) *errs.Error {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, new(errs.Catalog).Translate(err), &e)
	return e
}

// logged returns the log line for an error of Decode, unchanged and translated.
func logged(err error) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "raw", err, "error", new(errs.Catalog).Translate(err))
	return out.String()
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("no data") }
