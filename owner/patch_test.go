package owner_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type (
	settings struct {
		Color string `json:"color"`
		Size  *int   `json:"size"`
	}
	Audit struct {
		Note   string `db:"note" json:"note"`
		Author string `db:"author" json:"author" owner:"server"`
	}
	Times struct {
		Title string `db:"title" json:"title"`
		Same  string `db:"same" json:"same"`
	}
	Unseen struct {
		Inside string `db:"inside" json:"inside"`
	}
	// document uses JSON in every way that encoding/json supports.
	document struct {
		ID     int64  `db:"id" owner:"pk" json:"id,string"`
		UserID UserID `db:"user_id" owner:"owner" json:"-"`
		Times
		Audit    `json:"audit"`
		Unseen   `json:"-"`
		Big      int64           `db:"big" json:"big,string"`
		Maybe    *int64          `db:"maybe" json:"maybe,omitempty,string"`
		Raw      json.RawMessage `db:"raw" json:"raw"`
		Settings *settings       `db:"settings" json:"settings"`
		Own      string          `db:"own" json:"same"`
		//lint:ignore SA5008 what encoding/json makes of such a name is what is tested
		Odd string `db:"odd" json:"o'dd"`
		//lint:ignore SA5008 this is how a member is called "-"
		Dash string `db:"dash" json:"-,"`
	}
)

// oddName is what encoding/json makes of a name that is not well-formed: the field's,
// or under the experiment jsonv2 a part of it.
var oddName = func() string {
	b, err := json.Marshal(document{})
	if err != nil || strings.Contains(string(b), `"Odd"`) {
		return "Odd"
	}
	return "o"
}()

var documents = owner.MustTable[document, UserID]("documents")

func patchOf(t *testing.T, body string) ([]owner.Assignment[document], error) {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &members))
	return documents.Patch(members)
}

// JSON that the service sends is a valid patch, and null is NULL.
func TestPatchSpeaksTheJSONOfTheRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx, in := t.Context(), documents.In(me)
		ownerkit.MustExec(t, db, `create table documents (id int8 primary key, user_id int8 not null, title text not null, same text not null, note text not null, author text not null,
			inside text not null, big int8 not null, maybe int8, raw jsonb, settings jsonb, own text not null, odd text not null, dash text not null);
			insert into documents values (1, 42, '', '', '', '', '', 0, 7, '1', '{"color": "red"}', '', '', '')`)
		set, err := patchOf(t, `{"title": "t", "audit": {"note": "n"}, "big": "9007199254740993", "maybe": "-5", "raw": {"a": [1e3, null]}, "settings": {"color": "blue", "size": 5}, "same": "mine", "`+oddName+`": "o", "-": "d"}`)
		require.NoError(t, err)
		require.NoError(t, in.Update(1).Set(set...).Exec(ctx, db))
		got, err := in.Get(ctx, db, 1)
		require.NoError(t, err)
		five, minus := 5, int64(-5)
		require.JSONEq(t, `{"a": [1000, null]}`, string(got.Raw))
		got.Raw = nil
		require.Equal(t, document{ID: 1, UserID: 42, Times: Times{Title: "t"}, Audit: Audit{Note: "n"}, Big: 9007199254740993, Maybe: &minus,
			Settings: &settings{"blue", &five}, Own: "mine", Odd: "o", Dash: "d"}, got)

		row, err := json.Marshal(got)
		require.NoError(t, err)
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(row, &members))
		delete(members, "id")
		members["audit"] = json.RawMessage(`{"note": "n"}`) // the author is the service's
		set, err = documents.Patch(members)
		require.NoError(t, err, "%s", row)
		require.NoError(t, in.Update(1).Set(set...).Exec(ctx, db))

		set, err = patchOf(t, `{"raw": null, "settings": null, "maybe": null}`)
		require.NoError(t, err)
		require.NoError(t, in.Update(1).Set(set...).Exec(ctx, db))
		var nulls int
		require.NoError(t, db.QueryRow(ctx, "select count(*) from documents where raw is null and settings is null and maybe is null").Scan(&nulls))
		require.Equal(t, 1, nulls)
	})
}

// Nothing is dropped silently, and every fault is named.
func TestPatchNamesAllFaults(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"settings": {"Color": "x", "color": "y", "color": "z", "shape": 1}}`: {"/settings/Color unknown_field", "/settings/color duplicate_field", "/settings/shape unknown_field"},
		`{"big": 5, "id": "1", "nope": 1, "title": 7, "maybe": "x"}`:           {"/big wrong_type", "/id read_only_field", "/maybe wrong_type", "/nope unknown_field", "/title wrong_type"},
		`{"audit": {"author": "me", "note": 1, "x": 2}}`:                       {"/audit/author read_only_field", "/audit/note wrong_type", "/audit/x unknown_field"},
		`{"audit": null}`:                       {"/audit wrong_type"},
		`{"audit": {"note": "a", "note": "b"}}`: {"/audit/note duplicate_field"},
		`{"inside": "x", "Unseen": {}, "user_id": 1, "UserID": 2, "note": ""}`: {"/Unseen unknown_field", "/UserID unknown_field", "/inside unknown_field", "/note unknown_field", "/user_id unknown_field"},
		`{"title": "\u0000"}`:         {"/title invalid_characters"},
		`{"title": null, "o'dd": ""}`: {"/o'dd unknown_field", "/title wrong_type"},
		`{"raw": {"a": 1, "a": 2}}`:   {"/raw/a duplicate_field"},
		`{"audit": {}}`:               {" nothing_to_change"},
	} {
		_, err := patchOf(t, body)
		var refused *owner.PatchError
		require.ErrorAs(t, err, &refused, body)
		var got []string
		for _, f := range refused.Fields() {
			require.NotEmpty(t, f.Detail)
			got = append(got, f.Pointer+" "+f.Code)
		}
		require.Equal(t, want, got, body)
		require.Equal(t, want[0], refused.Field+" "+refused.Reason)
	}
	_, err := patchOf(t, `{"big": 5, "title": 7}`)
	require.EqualError(t, err, `owner: patch: "/big": wrong_type, and 1 more`)
}

func TestPatch(t *testing.T) {
	t.Parallel()
	patch := func(body string) error {
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(body), &members))
		set, err := Orders.Patch(members)
		if err == nil {
			var db recorder
			require.ErrorIs(t, Orders.In(me).Update(1).Set(set...).Exec(t.Context(), &db), errRecorded)
			require.Contains(t, db.SQL, `set "number" = $3, "title" = $4, "coupon_id" = $5, "version"`)
			require.Equal(t, []any{int32(4), "x", (*int64)(nil)}, db.Args[2:])
		}
		return err
	}
	require.NoError(t, patch(`{"title": "x", "coupon": null, "number": 4}`))
	for body, want := range map[string]owner.PatchError{
		`{}`:                               {Field: "", Reason: "nothing_to_change"},
		`null`:                             {Field: "", Reason: "nothing_to_change"},
		`{"title": "x", "total": 1}`:       {Field: "/total", Reason: "read_only_field"},
		`{"user_id": 43, "title": "x"}`:    {Field: "/user_id", Reason: "read_only_field"},
		`{"version": 3}`:                   {Field: "/version", Reason: "read_only_field"},
		`{"ID": 3}`:                        {Field: "/ID", Reason: "read_only_field"},
		`{"secret": "x"}`:                  {Field: "/secret", Reason: "unknown_field"},
		`{"Title": "x"}`:                   {Field: "/Title", Reason: "unknown_field"},
		`{"a/b~c": 1}`:                     {Field: "/a~1b~0c", Reason: "unknown_field"},
		`{"title": 1}`:                     {Field: "/title", Reason: "wrong_type"},
		`{"title": null}`:                  {Field: "/title", Reason: "wrong_type"},
		`{"number": 3000000000}`:           {Field: "/number", Reason: "wrong_type"},
		`{"title": "x", "b": 1, "aaa": 2}`: {Field: "/aaa", Reason: "unknown_field"},
	} {
		var got *owner.PatchError
		require.ErrorAs(t, patch(body), &got, body)
		require.Equal(t, want.Field+" "+want.Reason, got.Field+" "+got.Reason, body)
		require.Equal(t, kind.Invalid, got.Kind())
	}
}
