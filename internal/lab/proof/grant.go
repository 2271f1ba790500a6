package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// document is readable by its owner, and by every user with an access to it.
type document struct {
	ID      int64   `db:"id" owner:"pk"`
	Owner   userID  `db:"_g" owner:"owner"`
	Title   string  `db:"exists"`
	Draft   *string `db:"or true" owner:"hidden"`
	Above   *int64  `db:"(select 1)"`
	Version int64   `db:"false" owner:"version"`
}

type access struct {
	Document int64  `db:"id" owner:"pk"`
	Reader   userID `db:"_g" owner:"owner,pk"`
	Role     string `db:"exists"`
}

// sheet is the same on two levels.
type sheet struct {
	Book   string   `db:"book" owner:"pk"`
	Number int32    `db:"tenant" owner:"pk"`
	Tenant tenantID `db:"number" owner:"tenant"`
	User   userID   `db:"user" owner:"owner"`
	Text   *string  `db:"text"`
}

type sheetAccess struct {
	Tenant tenantID `db:"tenant" owner:"tenant,pk"`
	User   userID   `db:"user" owner:"owner,pk"`
	Book   string   `db:"book" owner:"pk"`
	Number int32    `db:"number" owner:"pk"`
	Role   string   `db:"role"`
}

func drawUser(s *source) userID { return userID(s.n(4)) }
func drawRole(s *source) string { return pick(s, "read", "write", "' or true--") }

// declareGranted declares tables whose rows are shared by grants. The receivers
// create the grants here, so the grants change during the run.
func (w *world) declareGranted(model func() (string, *prove.Table)) {
	full, m := model()
	documents := &entity[document, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *document, a actor) bool { return r.Owner == a.user }, give: func(r *document, a actor) { r.Owner = a.user }}
	var itself owner.Forward[document]
	documents.table = owner.MustTable[document, userID](full, &itself,
		owner.References(&itself, func(r *document) any { return &r.Above }), owner.Unique(func(r *document) any { return &r.ID }))
	id := addField(documents, "bigint", func(r *document) *int64 { return &r.ID }, func(s *source) int64 { return int64(s.n(30)) })
	addField(documents, "bigint", func(r *document) *userID { return &r.Owner }, drawUser)
	addField(documents, "text", func(r *document) *string { return &r.Title }, (*source).text)
	addField(documents, "text", func(r *document) **string { return &r.Draft }, (*source).optionalText)
	above := addField(documents, "bigint", func(r *document) **int64 { return &r.Above }, optionalID)
	addField(documents, "bigint", func(r *document) *int64 { return &r.Version }, func(s *source) int64 { return int64(s.n(4)) })
	documents.model.References = []prove.Reference{{Parent: documents.model, From: []string{"(select 1)"}}}
	up := owner.ReferenceOf(documents.table, documents.fields[above].column)
	linked(up, documents, []int{above}, documents, true, true)
	documents.key(id)

	full, m = model()
	accesses := &entity[access, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *access, a actor) bool { return r.Reader == a.user }, give: func(r *access, a actor) { r.Reader = a.user }}
	accesses.table = owner.MustTable[access, userID](full)
	of := addField(accesses, "bigint", func(r *access) *int64 { return &r.Document }, func(s *source) int64 { return int64(s.n(30)) })
	addField(accesses, "bigint", func(r *access) *userID { return &r.Reader }, drawUser)
	role := addField(accesses, "text", func(r *access) *string { return &r.Role }, drawRole)

	full, m = model()
	sheets := &entity[sheet, owner.Member[tenantID, userID]]{w: w, model: m, scope: memberScope, args: memberArgs,
		owns: func(r *sheet, a actor) bool { return r.Tenant == a.tenant && r.User == a.user },
		give: func(r *sheet, a actor) { r.Tenant, r.User = a.tenant, a.user }}
	sheets.table = owner.MustTable[sheet, owner.Member[tenantID, userID]](full)
	addField(sheets, "text", func(r *sheet) *string { return &r.Book }, (*source).code)
	addField(sheets, "integer", func(r *sheet) *int32 { return &r.Number }, (*source).small)
	addField(sheets, "text", func(r *sheet) *tenantID { return &r.Tenant }, (*source).tenant)
	addField(sheets, "bigint", func(r *sheet) *userID { return &r.User }, drawUser)
	addField(sheets, "text", func(r *sheet) **string { return &r.Text }, (*source).optionalText)

	full, m = model()
	given := &entity[sheetAccess, owner.Member[tenantID, userID]]{w: w, model: m, scope: memberScope, args: memberArgs,
		owns: func(r *sheetAccess, a actor) bool { return r.Tenant == a.tenant && r.User == a.user },
		give: func(r *sheetAccess, a actor) { r.Tenant, r.User = a.tenant, a.user }}
	given.table = owner.MustTable[sheetAccess, owner.Member[tenantID, userID]](full)
	addField(given, "text", func(r *sheetAccess) *tenantID { return &r.Tenant }, (*source).tenant)
	addField(given, "bigint", func(r *sheetAccess) *userID { return &r.User }, drawUser)
	gb := addField(given, "text", func(r *sheetAccess) *string { return &r.Book }, (*source).code)
	gn := addField(given, "integer", func(r *sheetAccess) *int32 { return &r.Number }, (*source).small)
	givenRole := addField(given, "text", func(r *sheetAccess) *string { return &r.Role }, drawRole)

	readers := owner.GrantedBy(documents.table, accesses.table, accesses.fields[of].column)
	readable := newGranted(readers, documents, accesses, []int{of}, role)
	sheetReaders := owner.GrantedBy(sheets.table, given.table, given.fields[gb].column, given.fields[gn].column)
	makers := grantedViews(readable, up, above)
	makers = append(makers, readable.read, readable.read, newGranted(sheetReaders, sheets, given, []int{gb, gn}, givenRole).read)
	w.ops = append(w.ops, slices.Repeat(makers, 3)...)
	documents.register()
	accesses.register()
	sheets.register()
	given.register()
	w.stores = append(w.stores, documents, accesses, sheets, given)
}

func memberArgs(a actor) []any { return []any{a.tenant, a.user} }

// granted creates reads of rows that are the actor's, or granted to the actor.
type granted[G, R any, O comparable] struct {
	grant  owner.Grant[G, R, O]
	rows   *entity[R, O]
	grants *entity[G, O]
	from   []int // fields of a grant that point at the row
	role   int   // the field that says what was granted
}

func newGranted[G, R any, O comparable](grant owner.Grant[G, R, O], rows *entity[R, O], grants *entity[G, O], from []int, role int) *granted[G, R, O] {
	return &granted[G, R, O]{grant, rows, grants, from, role}
}

// select_ returns a select on granted rows, in which some grants may not count, with
// those rows and the claim to prove.
func (g *granted[G, R, O]) select_(s *source, who actor) (owner.Select[R, O], func(*R, actor) bool, *prove.Grant) {
	claim := &prove.Grant{Table: g.grants.model}
	for _, f := range g.from {
		claim.From = append(claim.From, g.grants.fields[f].name)
	}
	var parts []condition[G]
	if f := g.grants.fields[g.role]; s.one(2) {
		role := f.draw(s)
		parts = append(parts, condition[G]{
			built: f.cmp(0, role),
			eval:  func(r *G, _ actor, _ bool) truth { return truthOf(f.get(r) == role) },
		})
		claim.Where = append(claim.Where, prove.Equal{Column: f.name, Value: role})
	}
	if s.one(3) {
		if c := g.grants.condition(s, 2); !c.misuse { // which would panic
			parts = append(parts, c)
		}
	}
	counts := combined(owner.And[G], parts, no)
	grant := g.grant
	for _, p := range parts {
		grant = grant.Where(p.built)
	}
	sees := func(r *R, who actor) bool {
		return g.rows.owns(r, who) || slices.ContainsFunc(g.grants.rows, func(x G) bool {
			for i, k := range g.rows.keyFields() {
				if !equal(g.grants.fields[g.from[i]].get(&x), g.rows.fields[k].get(r)) {
					return false
				}
			}
			return g.grants.owns(&x, who) && counts.eval(&x, who, false) == yes
		})
	}
	return grant.In(g.rows.scope(who)), sees, claim
}

// read creates one of the reads of an entity's own rows.
func (g *granted[G, R, O]) read(s *source, who actor) *operation {
	base, sees, claim := g.select_(s, who)
	all := *g.rows
	all.owns = sees
	op := pick(s, all.reads(func(*source, actor) owner.Select[R, O] { return base })...)(s, who)
	op.kind = "granted " + op.kind
	op.claim.Granted = claim
	op.misuse = op.misuse || op.tx // a lock
	return op
}

// titled is a document with the title of the one above it, if that is the actor's
// own: a grant on a document does not include its parent.
type titled struct {
	ID    int64   `db:"id"`
	Title string  `db:"exists"`
	Above *string `db:"\".exists"`
}

type title struct {
	Title string `db:"exists"`
}

func grantedViews(g *granted[access, document, userID], up owner.Reference[document, document], above int) []maker {
	documents := g.rows
	joined := owner.MustView[titled](documents.table, owner.LeftJoin(`"`, up))
	titles := owner.MustView[title](documents.table, owner.Distinct())
	return []maker{
		func(s *source, who actor) *operation {
			return viewed(s, who, g, joined, func(r *document) titled {
				out := titled{ID: r.ID, Title: r.Title}
				for i := range documents.rows {
					up := &documents.rows[i]
					if documents.owns(up, who) && equal(documents.fields[above].get(r), up.ID) {
						out.Above = &up.Title
					}
				}
				return out
			}, func(v titled) string { return fmt.Sprintf("%d %q %#v", v.ID, v.Title, value(v.Above)) }, false)
		},
		func(s *source, who actor) *operation {
			return viewed(s, who, g, titles, func(r *document) title { return title{r.Title} },
				func(v title) string { return fmt.Sprintf("%q", v.Title) }, true)
		},
	}
}

// viewed reads granted rows through a view, or counts them.
func viewed[V, G, R any, O comparable](s *source, who actor, g *granted[G, R, O], v *owner.View[V, R, O], row func(*R) V, show func(V) string, distinct bool) *operation {
	base, sees, claim := g.select_(s, who)
	all := *g.rows
	all.owns = sees
	where := g.rows.condition(s, s.n(4))
	q := v.Of(base.Where(where.built))
	op := &operation{kind: "granted view", claim: g.rows.claim(prove.Read, who), misuse: where.misuse}
	op.claim.Granted = claim
	op.expected = func(bool) outcome { return nil }
	want := func(cr bool) (out []string) {
		for _, r := range all.chosen(where, who, cr) {
			out = append(out, show(row(&r)))
		}
		slices.Sort(out)
		if distinct {
			out = slices.Compact(out)
		}
		return out
	}
	if s.one(2) {
		var n int64
		op.run = func(ctx context.Context, db owner.DB) (err error) { n, err = q.Count(ctx, db); return err }
		op.result = func(cr bool) error { return sameNumber(n, len(want(cr))) }
		return op
	}
	var rows []V
	op.run = func(ctx context.Context, db owner.DB) (err error) { rows, err = q.All(ctx, db); return err }
	op.result = func(cr bool) error {
		var have []string
		for _, r := range rows {
			have = append(have, show(r))
		}
		slices.Sort(have)
		if w := want(cr); !slices.Equal(have, w) {
			return fmt.Errorf("the view has %s instead of %s", have, w)
		}
		return nil
	}
	return op
}
