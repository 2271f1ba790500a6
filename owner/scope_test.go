package owner_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type (
	textID   string
	bytesID  [16]byte
	plain    struct{ N int }
	valuerID struct{ V any }
	// byPointer has its Value method on the pointer.
	byPointer    struct{ N int64 }
	pointerValue int64
	failing      struct{ N int }
	googleUUID   [16]byte
	// viaBytes has a Value method that returns bytes.
	viaBytes struct {
		S string
		N int
	}
	words [2]uint64
)

func (v valuerID) Value() (driver.Value, error)      { return v.V, nil }
func (v *byPointer) Value() (driver.Value, error)    { return v.N - 1, nil }
func (v *byPointer) Scan(src any) error              { v.N = src.(int64) + 1; return nil }
func (v *pointerValue) Value() (driver.Value, error) { return nil, nil }
func (v viaBytes) Value() (driver.Value, error)      { return []byte(v.S), nil }
func (failing) Value() (driver.Value, error)         { return nil, errFailing }
func (u googleUUID) Value() (driver.Value, error)    { return fmt.Sprintf("%x", u[:]), nil }
func (w words) Value() (driver.Value, error)         { return int64(w[0]), nil }

// rewriter is a type that pgx takes for an option if it is the first argument.
type rewriter int64

func (rewriter) RewriteQuery(context.Context, *pgx.Conn, string, []any) (string, []any, error) {
	return "select count(*) from accounts", nil, nil
}

// shared has a value that somebody else can change.
type shared struct{ n *int64 }

func (s shared) Value() (driver.Value, error) {
	if *s.n < 0 {
		return nil, nil
	}
	return *s.n, nil
}

// twoFaced is checked by one value, but pgx knows a method for another.
type twoFaced struct {
	pgtype.Int8
	other int64
}

func (f twoFaced) Value() (driver.Value, error) { return f.other, nil }

// Statements send the value that For checked, even if the original changes meanwhile.
func TestWhatWasCheckedIsSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, "create table things (owner_id bigint, id bigint); insert into things values (42, 1), (43, 2), (43, 3), (0, 4), (null, 5)")

		n := int64(42)
		sharing, err := owner.For(shared{&n})
		require.NoError(t, err)
		type row struct {
			Owner shared `db:"owner_id" owner:"owner"`
			ID    int64  `db:"id" owner:"pk"`
		}
		for _, n = range []int64{42, 43, 0, -1} {
			ownerkit.RequireCount(t, db, 1, owner.MustTable[row, shared]("things").In(sharing).Count, "changed to ", n)
		}

		faces, err := owner.For(twoFaced{pgtype.Int8{Int64: 43, Valid: true}, 42})
		require.NoError(t, err)
		type faceRow struct {
			Owner twoFaced `db:"owner_id" owner:"owner"`
			ID    int64    `db:"id" owner:"pk"`
		}
		ownerkit.RequireCount(t, db, 1, owner.MustTable[faceRow, twoFaced]("things").In(faces).Count)
	})
}

var errFailing = errors.New("failing")

// requireAccepted returns a test that fails unless For accepts the owner.
func requireAccepted[O comparable](o O) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		s, err := owner.For(o)
		require.NoError(t, err)
		require.Equal(t, o, s.Owner())
		got, err := owner.FromContext[O](owner.NewContext(t.Context(), s))
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
}

// requireUnscoped returns a test that fails unless For refuses the owner.
func requireUnscoped[O comparable](o O) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		s, err := owner.For(o)
		require.ErrorIs(t, err, owner.ErrUnscoped)
		require.Equal(t, owner.Scope[O]{}, s)
		_, err = owner.FromContext[O](owner.NewContext(t.Context(), s))
		require.ErrorIs(t, err, owner.ErrUnscoped)
	}
}

func TestForAccepts(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*testing.T){
		"int":               requireAccepted(1),
		"negative":          requireAccepted(-1),
		"named int64":       requireAccepted(UserID(42)),
		"int8":              requireAccepted(int8(1)),
		"uint64":            requireAccepted(uint64(1)),
		"string":            requireAccepted("u1"),
		"named string":      requireAccepted(textID("tenant-0")),
		"uuid text":         requireAccepted("00000000-0000-0000-0000-000000000001"),
		"bytes":             requireAccepted([16]byte{15: 1}),
		"named bytes":       requireAccepted(bytesID{1}),
		"pgtype.UUID":       requireAccepted(pgtype.UUID{Bytes: [16]byte{1}, Valid: true}),
		"pgtype.Text":       requireAccepted(pgtype.Text{String: "x", Valid: true}),
		"pgtype.Int8":       requireAccepted(pgtype.Int8{Int64: 1, Valid: true}),
		"sql.Null":          requireAccepted(sql.Null[int64]{V: 1, Valid: true}),
		"google uuid":       requireAccepted(googleUUID{1}),
		"words":             requireAccepted(words{1, 0}),
		"valuer of text":    requireAccepted(valuerID{"x"}),
		"valuer on pointer": requireAccepted(byPointer{2}),
		"text of other":     requireAccepted("é"),
		"valuer of bytes":   requireAccepted(viaBytes{"x", 1}),
		"valuer of binary":  requireAccepted(viaBytes{"\x01\x00\x00", 1}),
		"valuer of int":     requireAccepted(valuerID{int64(7)}),
	} {
		t.Run(name, f)
	}
}

func TestForRefuses(t *testing.T) {
	t.Parallel()
	n := 1
	for name, f := range map[string]func(*testing.T){
		"zero int":            requireUnscoped(0),
		"zero named int":      requireUnscoped(UserID(0)),
		"zero uint":           requireUnscoped(uint32(0)),
		"empty":               requireUnscoped(""),
		"blank":               requireUnscoped(" \t\n\u00a0"),
		"invisible":           requireUnscoped("\u200b"),
		"nul":                 requireUnscoped("\x00"),
		"named blank":         requireUnscoped(textID(" ")),
		"text zero":           requireUnscoped("0"),
		"text zeros":          requireUnscoped(" 000 "),
		"text plus zero":      requireUnscoped("+0"),
		"option of pgx":       requireUnscoped(pgx.QueryExecModeExec),
		"rewriter of pgx":     requireUnscoped(rewriter(42)),
		"zero uuid":           requireUnscoped("00000000-0000-0000-0000-000000000000"),
		"zero uuid plain":     requireUnscoped("00000000000000000000000000000000"),
		"zero uuid braces":    requireUnscoped("{00000000-0000-0000-0000-000000000000}"),
		"zero uuid urn":       requireUnscoped("URN:UUID:00000000-0000-0000-0000-000000000000"),
		"zero bytes":          requireUnscoped([16]byte{}),
		"zero named bytes":    requireUnscoped(bytesID{}),
		"no bytes":            requireUnscoped([0]byte{}),
		"words":               requireUnscoped([2]string{"a", "b"}),
		"pointer":             requireUnscoped(&n),
		"nil pointer":         requireUnscoped((*int)(nil)),
		"pointer to valuer":   requireUnscoped(&pgtype.Text{String: "x", Valid: true}),
		"interface":           requireUnscoped[any](1),
		"nil interface":       requireUnscoped[any](nil),
		"interface of slice":  requireUnscoped[any]([]byte("x")),
		"interface of map":    requireUnscoped[any](map[string]int{}),
		"interface of func":   requireUnscoped[any](func() {}),
		"valuer interface":    requireUnscoped[driver.Valuer](pgtype.Int8{Int64: 1, Valid: true}),
		"bool":                requireUnscoped(true),
		"float64":             requireUnscoped(1.5),
		"float32":             requireUnscoped(float32(1)),
		"complex":             requireUnscoped(complex(1, 1)),
		"uintptr":             requireUnscoped(uintptr(1)),
		"chan":                requireUnscoped(make(chan int)),
		"struct":              requireUnscoped(plain{1}),
		"time":                requireUnscoped(time.Now()),
		"zero struct":         requireUnscoped(pgtype.UUID{}),
		"valid zero uuid":     requireUnscoped(pgtype.UUID{Valid: true}),
		"invalid uuid":        requireUnscoped(pgtype.UUID{Bytes: [16]byte{1}}),
		"valid empty text":    requireUnscoped(pgtype.Text{Valid: true}),
		"valid blank text":    requireUnscoped(pgtype.Text{String: " ", Valid: true}),
		"invalid text":        requireUnscoped(pgtype.Text{String: "x"}),
		"valid zero int":      requireUnscoped(pgtype.Int8{Valid: true}),
		"numeric zero":        requireUnscoped(pgtype.Numeric{Int: big.NewInt(0), Valid: true}),
		"sql null":            requireUnscoped(sql.Null[string]{V: "x"}),
		"valuer fails":        requireUnscoped(failing{1}),
		"valuer nil bytes":    requireUnscoped(valuerID{[]byte(nil)}),
		"valuer empty bytes":  requireUnscoped(viaBytes{"", 1}),
		"valuer zero bytes":   requireUnscoped(viaBytes{"\x00\x00", 1}),
		"valuer blank bytes":  requireUnscoped(viaBytes{" \n", 1}),
		"valuer text zeros":   requireUnscoped(viaBytes{"00000000-0000-0000-0000-000000000000", 1}),
		"cannot be compared":  requireUnscoped(valuerID{[]byte("x")}),
		"valuer bool":         requireUnscoped(valuerID{true}),
		"valuer float":        requireUnscoped(valuerID{1.5}),
		"valuer time":         requireUnscoped(valuerID{time.Now()}),
		"valuer pointer":      requireUnscoped(valuerID{&n}),
		"valuer nil pointer":  requireUnscoped(valuerID{(*int)(nil)}),
		"valuer zero":         requireUnscoped(byPointer{1}),
		"valuer on pointer":   requireUnscoped(pointerValue(1)),
		"valuer words zero":   requireUnscoped(words{0, 1}),
		"valuer google zero":  requireUnscoped(googleUUID{}),
		"valuer named string": requireUnscoped(valuerID{textID(" ")}),
	} {
		t.Run(name, f)
	}
}

func TestForKeepsTheCause(t *testing.T) {
	t.Parallel()
	_, err := owner.For(failing{1})
	require.ErrorIs(t, err, errFailing)
	require.ErrorIs(t, err, owner.ErrUnscoped)
}

func TestFromContextFailsClosed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()

	_, err := owner.FromContext[UserID](ctx)
	require.ErrorIs(t, err, owner.ErrUnscoped)

	ctx = owner.NewContext(ctx, me)
	_, err = owner.FromContext[int64](ctx)
	require.ErrorIs(t, err, owner.ErrUnscoped, "another type")
	got, err := owner.FromContext[UserID](ctx)
	require.NoError(t, err)
	require.Equal(t, alice, got.Owner())

	_, err = owner.FromContext[UserID](owner.NewContext(ctx, owner.Scope[UserID]{}))
	require.ErrorIs(t, err, owner.ErrUnscoped, "a zero scope hides the one outside")
}

func TestEveryStatementRefusesAZeroScope(t *testing.T) {
	t.Parallel()
	in := Accounts.In(owner.Scope[UserID]{})
	for name, call := range statements(in) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var db txRecorder
			require.ErrorIs(t, call(t.Context(), &db), owner.ErrUnscoped)
			require.Empty(t, db.SQL)
		})
	}
}

func TestEveryStatementRefusesWhatIsNil(t *testing.T) {
	t.Parallel()
	for name, call := range statements(Accounts.In(me)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, call(t.Context(), nil), "owner: the database is nil")
			require.ErrorContains(t, call(t.Context(), (*txRecorder)(nil)), "owner: the database is nil")
		})
	}
	const noTable = "owner: the table was not made by MustTable"
	for _, in := range []owner.Scoped[Account, UserID]{
		{}, (&owner.Table[Account, UserID]{}).In(me), (*owner.Table[Account, UserID])(nil).In(me),
	} {
		for name, call := range statements(in) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				require.ErrorContains(t, call(t.Context(), &txRecorder{}), noTable)
			})
		}
	}
}

// statements are all operations on accounts.
func statements(in owner.Scoped[Account, UserID]) map[string]func(context.Context, owner.DB) error {
	return map[string]func(context.Context, owner.DB) error{
		"Get":    func(ctx context.Context, db owner.DB) error { _, err := in.Get(ctx, db, 1); return err },
		"All":    func(ctx context.Context, db owner.DB) error { _, err := in.All(ctx, db); return err },
		"One":    func(ctx context.Context, db owner.DB) error { _, err := in.One(ctx, db); return err },
		"Count":  func(ctx context.Context, db owner.DB) error { _, err := in.Count(ctx, db); return err },
		"Exists": func(ctx context.Context, db owner.DB) error { _, err := in.Exists(ctx, db); return err },
		"ForUpdate": func(ctx context.Context, db owner.DB) error {
			_, err := in.Where(Name.Eq("x")).ForUpdate().All(ctx, db)
			return err
		},
		"Insert": func(ctx context.Context, db owner.DB) error { return in.Insert(ctx, db, &Account{}) },
		"Update": func(ctx context.Context, db owner.DB) error { return in.Update(1).Set(Name.Set("x")).Exec(ctx, db) },
		"Delete": func(ctx context.Context, db owner.DB) error { return in.Delete(1).Exec(ctx, db) },
	}
}
