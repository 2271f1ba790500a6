package owner_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestConditions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, accountsDDL)
		in := Accounts.In(me)
		nick := func(s string) *string { return &s }
		for i, a := range []Account{
			{Name: "100%", Nick: nick("a"), Balance: 10},
			{Name: "100 points", Nick: nick("b"), Balance: 20},
			{Name: `back\slash`, Nick: nil, Balance: 30},
			{Name: "under_score", Nick: nick("d"), Balance: -40},
			{Name: "underXscore", Nick: nil, Balance: 50},
		} {
			a.ID = int64(i + 1)
			require.NoError(t, in.Insert(ctx, db, &a))
		}
		for name, tc := range map[string]struct {
			condition owner.Condition[Account]
			want      []int64
		}{
			"eq":               {Name.Eq("100%"), []int64{1}},
			"eq of a pointer":  {Nick.Eq(nick("b")), []int64{2}},
			"ne leaves NULL":   {Nick.Ne(nick("b")), []int64{1, 4}},
			"lt":               {Balance.Lt(20), []int64{1, 4}},
			"le":               {Balance.Le(20), []int64{1, 2, 4}},
			"gt":               {Balance.Gt(20), []int64{3, 5}},
			"ge":               {Balance.Ge(20), []int64{2, 3, 5}},
			"null":             {Nick.IsNull(), []int64{3, 5}},
			"not null":         {Nick.IsNotNull(), []int64{1, 2, 4}},
			"in":               {ID.In(1, 3, 5, 7, 9), []int64{1, 3, 5}},
			"in of pointers":   {Nick.In(nick("a"), nick("d")), []int64{1, 4}},
			"in nothing":       {ID.In(), []int64{}},
			"not in nothing":   {owner.Not(ID.In()), []int64{1, 2, 3, 4, 5}},
			"not in":           {ID.NotIn(1, 3, 5), []int64{2, 4}},
			"contains percent": {Name.Contains("%"), []int64{1}},
			"prefix percent":   {Name.HasPrefix("100%"), []int64{1}},
			"prefix":           {Name.HasPrefix("100"), []int64{1, 2}},
			"suffix":           {Name.HasSuffix("score"), []int64{4, 5}},
			"underscore":       {Name.Contains("under_s"), []int64{4}},
			"backslash":        {Name.Contains(`\`), []int64{3}},
			"backslash s":      {Name.HasSuffix(`\slash`), []int64{3}},
			"both":             {Name.HasPrefix(`back\s_`), []int64{}},
			"bang":             {Name.HasPrefix(`back!\`), []int64{}},
			"quote":            {Name.Contains(`'`), []int64{}},
			"case":             {Name.HasPrefix("UNDER"), []int64{}},
			"on a pointer":     {Nick.HasPrefix("d"), []int64{4}},
			"and":              {owner.And(ID.Gt(1), ID.Lt(3)), []int64{2}},
			"or":               {owner.Or(ID.Eq(1), ID.Eq(3)), []int64{1, 3}},
			"or of nothing":    {owner.Or[Account](), []int64{}},
			"not":              {owner.Not(owner.Or(ID.Eq(1), ID.Eq(3))), []int64{2, 4, 5}},
			"or in and":        {owner.And(owner.Or(ID.Eq(1), ID.Eq(2)), Balance.Eq(20)), []int64{2}},
			"time":             {Created.Gt(time.Now().Add(time.Hour)), []int64{}},
		} {
			all, err := in.Where(tc.condition).OrderBy(ID.Asc()).All(ctx, db)
			require.NoError(t, err, name)
			requireIDs(t, tc.want, all, name)
		}
		all, err := in.OrderBy(Balance.Desc()).Limit(2).All(ctx, db)
		require.NoError(t, err)
		requireIDs(t, []int64{5, 3}, all)
		all, err = in.Where(Nick.IsNotNull()).OrderBy(Nick.Desc(), ID.Asc()).All(ctx, db)
		require.NoError(t, err)
		requireIDs(t, []int64{4, 2, 1}, all)
	})
}

func TestConditionsRefuse(t *testing.T) {
	t.Parallel()
	type row struct {
		Owner  UserID                `db:"user_id" owner:"owner"`
		ID     int                   `db:"id" owner:"pk"`
		Text   pgtype.Text           `db:"text"`
		Any    any                   `db:"any"`
		Bytes  []byte                `db:"bytes"`
		Valuer failing               `db:"valuer"`
		Time   time.Time             `db:"time"`
		Array  pgtype.FlatArray[int] `db:"array"`
		Multi  pgtype.Array[int]     `db:"multi"`
		Range  pgtype.Range[int]     `db:"range"`
		Deep   **int                 `db:"deep"`
	}
	rows := owner.MustTable[row, UserID]("rows")
	text := owner.Column(rows, func(r *row) *pgtype.Text { return &r.Text })
	anything := owner.Column(rows, func(r *row) *any { return &r.Any })
	bytes := owner.Column(rows, func(r *row) *[]byte { return &r.Bytes })
	valuer := owner.Column(rows, func(r *row) *failing { return &r.Valuer })
	clock := owner.Column(rows, func(r *row) *time.Time { return &r.Time })
	array := owner.Column(rows, func(r *row) *pgtype.FlatArray[int] { return &r.Array })
	multi := owner.Column(rows, func(r *row) *pgtype.Array[int] { return &r.Multi })
	span := owner.Column(rows, func(r *row) *pgtype.Range[int] { return &r.Range })
	deep := owner.Column(rows, func(r *row) ***int { return &r.Deep })
	var none owner.ColumnOf[row, int]

	const null = ": the value is NULL, which compares with nothing; use IsNull or IsNotNull"
	const noColumn = "owner: the column was not made by owner.Column"
	for name, tc := range map[string]struct {
		condition owner.Condition[row]
		want      string
	}{
		"invalid text":     {text.Eq(pgtype.Text{}), "column rows.text" + null},
		"ne":               {text.Ne(pgtype.Text{}), "column rows.text" + null},
		"lt":               {text.Lt(pgtype.Text{}), "column rows.text" + null},
		"le":               {text.Le(pgtype.Text{}), "column rows.text" + null},
		"gt":               {text.Gt(pgtype.Text{}), "column rows.text" + null},
		"ge":               {text.Ge(pgtype.Text{}), "column rows.text" + null},
		"nil":              {anything.Eq(nil), "column rows.any" + null},
		"nil in interface": {anything.Eq((*int)(nil)), "column rows.any" + null},
		"nil slice":        {bytes.Eq(nil), "column rows.bytes" + null},
		"nil array":        {array.Eq(nil), "column rows.array" + null},
		"null array":       {multi.Eq(pgtype.Array[int]{}), "column rows.multi" + null},
		"null range":       {span.Eq(pgtype.Range[int]{}), "column rows.range" + null},
		"pointer to nil":   {deep.Eq(new(*int)), "column rows.deep" + null},
		"failing valuer":   {valuer.Eq(failing{}), "column rows.valuer: failing"},
		"in":               {text.In(pgtype.Text{String: "x", Valid: true}, pgtype.Text{}), "column rows.text" + null},
		"not in":           {text.NotIn(pgtype.Text{}, pgtype.Text{String: "x", Valid: true}), "column rows.text" + null},
		"not in nothing":   {text.NotIn(), "column rows.text: NotIn needs at least one value"},
		"like on bytes":    {bytes.Contains("x"), "column rows.bytes: text cannot be searched in type []uint8"},
		"like on time":     {clock.HasPrefix("x"), "column rows.time: text cannot be searched in type time.Time"},
		"like on any":      {anything.HasSuffix("x"), "column rows.any: text cannot be searched in type interface {}"},
		"empty":            {owner.Condition[row]{}, "owner: a Condition is empty"},
		"empty in or":      {owner.Or(text.IsNull(), owner.Condition[row]{}), "owner: a Condition is empty"},
		"empty in and":     {owner.And(owner.Condition[row]{}), "owner: a Condition is empty"},
		"empty in not":     {owner.Not(owner.Condition[row]{}), "owner: a Condition is empty"},
		"nested":           {owner.Or(text.IsNull(), owner.Not(owner.And(text.IsNull(), text.NotIn()))), "NotIn needs"},
		"no column, eq":    {none.Eq(1), noColumn},
		"no column, in":    {none.In(), noColumn},
		"no column, notin": {none.NotIn(), noColumn},
		"no column, null":  {none.IsNull(), noColumn},
		"no column, like":  {none.Contains(""), noColumn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := rows.In(me).Where(tc.condition)
			for _, q := range []owner.Select[row, UserID]{q, q.Where(text.IsNull()), rows.In(me).Where(text.IsNull()).Where(tc.condition)} {
				requireRefused(t, func(db owner.DB) error { _, err := q.All(t.Context(), db); return err }, tc.want)
				requireRefused(t, func(db owner.DB) error { _, err := q.Get(t.Context(), db, 1); return err }, tc.want)
				requireRefused(t, func(db owner.DB) error { _, err := q.One(t.Context(), db); return err }, tc.want)
				requireRefused(t, func(db owner.DB) error { _, err := q.Count(t.Context(), db); return err }, tc.want)
				requireRefused(t, func(db owner.DB) error { _, err := q.Exists(t.Context(), db); return err }, tc.want)
			}
		})
	}
	requireRefused(t, func(db owner.DB) error { _, err := rows.In(me).OrderBy(none.Asc()).All(t.Context(), db); return err }, noColumn)
	requireRefused(t, func(db owner.DB) error {
		_, err := rows.In(me).OrderBy(owner.Order[row]{}).All(t.Context(), db)
		return err
	}, noColumn)
}
