package owner_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
)

func TestMustTableRefuses(t *testing.T) {
	t.Parallel()
	type (
		good struct {
			ID    int    `db:"id" owner:"pk"`
			Owner UserID `db:"user_id" owner:"owner"`
		}
		untagged struct {
			good
			Name string
		}
		unexported struct {
			good
			name string `db:"name"`
		}
		unexportedOwner struct {
			ID   int    `db:"id" owner:"pk"`
			user UserID `owner:"owner"`
		}
		noColumn struct {
			good
			Name string `db:" "`
		}
		longColumn struct {
			good
			Name string `db:"a123456789b123456789c123456789d123456789e123456789f123456789g123"`
		}
		options struct {
			good
			Name string `db:"name,omitempty"`
		}
		duplicate struct {
			good
			Name  string `db:"name"`
			Title string `db:"name"`
		}
		twoOwners struct {
			good
			Other UserID `db:"other_id" owner:"owner"`
		}
		noOwner struct {
			ID int `db:"id" owner:"pk"`
		}
		noKey struct {
			Owner UserID `db:"user_id" owner:"owner"`
		}
		version struct {
			good
			Version int `db:"version" owner:"vers"`
		}
		emptyWord struct {
			good
			Name string `db:"name" owner:""`
		}
		defaultOwner struct {
			ID    int    `db:"id" owner:"pk"`
			Owner UserID `db:"user_id" owner:"owner,default"`
		}
		pointer struct {
			*good
			Name string `db:"name"`
		}
		special struct {
			good `owner:"pk"`
		}
		nothing struct {
			good
			Name struct{} `db:"name"`
		}
		floats struct {
			ID    int     `db:"id" owner:"pk"`
			Owner float64 `db:"user_id" owner:"owner"`
		}
	)
	_ = unexported{name: ""}
	_ = unexportedOwner{user: 0}
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"no name":           {owner.TableError[good, UserID](""), `the name must be "table" or "schema.table"`},
		"no schema":         {owner.TableError[good, UserID](".t"), `the name must be`},
		"too many names":    {owner.TableError[good, UserID]("a.b.c"), `the name must be`},
		"no struct":         {owner.TableError[int, UserID]("t"), "the row type must be a struct"},
		"pointer to struct": {owner.TableError[*good, UserID]("t"), "the row type must be a struct"},
		"other owner type":  {owner.TableError[good, int64]("t"), "field Owner: it is of type owner_test.UserID, but the table is declared for owners of type int64"},
		"pointer owner":     {owner.TableError[good, *UserID]("t"), "an owner cannot be of type *owner_test.UserID"},
		"float owner":       {owner.TableError[floats, float64]("t"), "an owner cannot be of type float64"},
		"untagged":          {owner.TableError[untagged, UserID]("t"), `field Name: add a tag db:"column", or db:"-"`},
		"unexported":        {owner.TableError[unexported, UserID]("t"), "field name: it has tags, but is not exported"},
		"unexported owner":  {owner.TableError[unexportedOwner, UserID]("t"), "field user: it has tags, but is not exported"},
		"long column":       {owner.TableError[longColumn, UserID]("t"), "field Name: the column's name is longer than 63 bytes"},
		"long table":        {owner.TableError[good, UserID](strings.Repeat("t", 64)), "the name is longer than 63 bytes"},
		"no column":         {owner.TableError[noColumn, UserID]("t"), "field Name: the db tag names no column"},
		"options":           {owner.TableError[options, UserID]("t"), `field Name: the db tag "name,omitempty" must be a column's name alone`},
		"duplicate":         {owner.TableError[duplicate, UserID]("t"), `fields Name and Title: both are column "name"`},
		"two owners":        {owner.TableError[twoOwners, UserID]("t"), "fields Owner and Other: both are the owner"},
		"no owner":          {owner.TableError[noOwner, UserID]("t"), `no field is the owner: add a tag owner:"owner"`},
		"no key":            {owner.TableError[noKey, UserID]("t"), `no field is the primary key: add a tag owner:"pk"`},
		"unknown word":      {owner.TableError[version, UserID]("t"), `field Version: unknown word "vers" in the owner tag; the known ones are owner, tenant, pk, parent, version, server, hidden, default`},
		"empty word":        {owner.TableError[emptyWord, UserID]("t"), `field Name: unknown word ""`},
		"default owner":     {owner.TableError[defaultOwner, UserID]("t"), "field Owner: the owner is always inserted"},
		"embedded pointer":  {owner.TableError[pointer, UserID]("t"), "field good: embed the struct itself, not a pointer"},
		"tagged embedding":  {owner.TableError[special, UserID]("t"), "field good: it has tags, but is not exported"},
		"no value":          {owner.TableError[nothing, UserID]("t"), "field Name: type struct {} cannot hold a value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, tc.err, tc.want)
			require.Regexp(t, "^owner: table ", tc.err.Error())
		})
	}
}

func TestMustTableNamesAllProblems(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int `db:"id"`
		Name string
		Age  int `db:"age" owner:"old"`
	}
	err := owner.TableError[row, int64]("a.b.c")
	require.EqualError(t, err, `owner: table "a.b.c" of owner_test.row:
	the name must be "table" or "schema.table"
	field Name: add a tag db:"column", or db:"-" if it is no column
	field Age: unknown word "old" in the owner tag; the known ones are owner, tenant, pk, parent, version, server, hidden, default
	no field is the owner: add a tag owner:"owner"
	no field is the primary key: add a tag owner:"pk"`)
}

func TestColumnPanics(t *testing.T) {
	t.Parallel()
	type base struct {
		ID int `db:"id" owner:"pk"`
	}
	type row struct {
		base
		Owner  UserID `db:"user_id" owner:"owner"`
		Cached int    `db:"-"`
		hidden int
	}
	rows := owner.MustTable[row, UserID]("rows")
	global := 1

	const want = "owner: table rows: the function given to Column must return the address of a field of its owner_test.row that has a db tag; it returned another "
	require.PanicsWithError(t, want+"int", func() { owner.Column(rows, func(r *row) *int { return &r.Cached }) })
	require.PanicsWithError(t, want+"int", func() { owner.Column(rows, func(r *row) *int { return &r.hidden }) })
	require.PanicsWithError(t, want+"int", func() { owner.Column(rows, func(*row) *int { return &global }) })
	require.PanicsWithError(t, want+"int", func() { owner.Column(rows, func(*row) *int { return &new(row).ID }) })
	require.PanicsWithError(t, want+"owner_test.base", func() { owner.Column(rows, func(r *row) *base { return &r.base }) })
	require.PanicsWithError(t, want+"owner_test.row", func() { owner.Column(rows, func(r *row) *row { return r }) })
	require.PanicsWithError(t, "owner: table rows: the function given to Column returned nil",
		func() { owner.Column(rows, func(*row) *int { return nil }) })
	require.PanicsWithError(t, "owner: Column of a table that was not made by MustTable",
		func() { owner.Column((*owner.Table[row, UserID])(nil), func(r *row) *int { return &r.ID }) })
	require.NotPanics(t, func() { owner.Column(rows, func(r *row) *int { return &r.ID }) }, "promoted from base")
}

func TestNamesWithNUL(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"\x00", "a\x00b", "a.\x00"} {
		require.ErrorContains(t, owner.TableError[Setting, UserID](name), "NUL")
	}
	type row struct {
		Owner UserID `db:"user\x00" owner:"owner,pk"`
	}
	require.ErrorContains(t, owner.TableError[row, UserID]("rows"), "NUL")
}
