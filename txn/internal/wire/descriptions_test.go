package wire

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func described(sql, name string) *description {
	return &description{StatementDescription: pgconn.StatementDescription{SQL: sql, Name: name}}
}

// Names that the server may still have are closed before they are used again, or at
// the next chance.
func TestDroppedNames(t *testing.T) {
	t.Parallel()
	c := descriptions{lru: lru[string, *description]{capacity: 2}}
	a, b := described("a", "name of a"), described("b", "name of b")
	c.put(a)
	c.put(b)
	require.Same(t, a, c.get("a"))
	c.put(described("c", "name of c"))
	require.Equal(t, []string{"name of b"}, c.dropped, "the least recently used one")
	c.put(b)
	require.Equal(t, []string{"name of a"}, c.dropped, "that of b is in use again")
	c.dropAll()
	require.ElementsMatch(t, []string{"name of a", "name of b", "name of c"}, c.dropped)
	require.Nil(t, c.get("b"))
	c.put(described("d", ""))
	c.drop("d")
	require.Len(t, c.dropped, 3, "it has no name")
}

func TestFieldsHaveTheFormatsOfTheResult(t *testing.T) {
	t.Parallel()
	d := described("select", "name")
	d.Fields = []pgconn.FieldDescription{{Name: "a"}, {Name: "b"}}
	formats := func(fields []pgconn.FieldDescription) (f []int16) {
		for _, field := range fields {
			f = append(f, field.Format)
		}
		return f
	}
	const text, binary = pgx.TextFormatCode, pgx.BinaryFormatCode
	first := d.fieldsIn([]int16{binary, text})
	require.Equal(t, []int16{binary, text}, formats(first))
	require.Same(t, &first[0], &d.fieldsIn([]int16{binary, text})[0], "they are made once")
	require.Equal(t, []int16{binary, binary}, formats(d.fieldsIn([]int16{binary})))
	require.Equal(t, []int16{text, text}, formats(d.fieldsIn(nil)))
	require.Equal(t, []int16{binary, text}, formats(first), "rows that have them are not changed")
}
