package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func translate(t *testing.T, c *errs.Catalog, err error) *errs.Error {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, c.Translate(err), &e)
	return e
}
