package main

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

type (
	userID   int64
	tenantID string
)

// The rows. Column names are as hostile as a struct tag can be.
type account struct {
	ID      int64    `db:"id" owner:"pk"`
	Owner   userID   `db:"us\"er" owner:"owner"`
	Name    string   `db:"select"`
	Nick    *string  `db:"a.b" json:"nick/~name,omitempty"`
	Balance int64    `db:"$1" owner:"server"`
	Score   float64  `db:"sco'--re"`
	Flag    bool     `db:"/* */"`
	Rate    *float64 `db:"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`
	Secret  string   `db:"_p" owner:"hidden"`
	Version int64    `db:"ü—λ" owner:"version"`
	Above   *int64   `db:"or"`
	Country *string  `db:"\\"`
}

type order_ struct {
	Region  string `db:"region" owner:"pk"`
	Number  int32  `db:"number; drop table x--" owner:"pk"`
	Owner   userID `db:"\"" owner:"owner"`
	Total   int64  `db:" - "`
	Payer   *int64 `db:"null"`
	Remark  string `db:"excluded" json:"-"`
	Current int32  `db:"true" owner:"version"`
}

type line struct {
	Region string  `db:"region" owner:"pk,parent"`
	Order  int32   `db:"number; drop table x--" owner:"pk,parent"`
	Number int32   `db:"no" owner:"pk"`
	Text   *string `db:"id"`
	Price  int64   `db:"user"`
	From   *int64  `db:"from"`
}

// label is two levels below the table with an owner.
type label struct {
	ID     int64  `db:"id" owner:"pk"`
	Region string `db:"region" owner:"parent"`
	Order  int32  `db:"order" owner:"parent"`
	Line   int32  `db:"where" owner:"parent"`
	Text   string `db:"😀"`
}

type setting struct {
	Owner userID `db:"us\"er" owner:"owner,pk"`
	Theme string `db:"*"`
}

type draft struct {
	Tenant tenantID `db:"Tenant" owner:"tenant,pk"`
	User   userID   `db:"tenant" owner:"owner"`
	ID     int64    `db:"id" owner:"pk"`
	Text   string   `db:"'"`
	Note   *int64   `db:"note"`
}

type note struct {
	ID     int64    `db:"id" owner:"pk"`
	Tenant tenantID `db:"Tenant" owner:"owner"`
	Text   *string  `db:"e\u0301"`
	Count  int64    `db:"count"`
}

type country struct {
	Code string `db:"code" owner:"pk"`
	Name string `db:"name"`
}

// world is one set of declarations.
type world struct {
	tables []*prove.Table
	ops    []maker
	stores []store  // in an order in which rows can be inserted
	sealed []sealed // cursors that were made
	actors []actor
}

// maker makes an operation of one kind.
type maker func(s *source, who actor) *operation

func userScope(a actor) owner.Scope[userID] { return must(owner.For(a.user)) }

func memberScope(a actor) owner.Scope[owner.Member[tenantID, userID]] {
	return must(owner.For(owner.Member[tenantID, userID]{Tenant: a.tenant, User: a.user}))
}

func tenantScope(a actor) owner.Scope[tenantID] {
	return must(owner.For(memberScope(a).Owner().Tenant))
}

func userArgs(a actor) []any { return []any{a.user} }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newWorld declares all tables under the names that the function returns. If the
// package refuses a name, newWorld returns its error.
func newWorld(name func() string) (w *world, err error) {
	w = &world{actors: []actor{{1, "acme"}, {2, "acme"}, {2, "Acme"}, {3, "o'acme"}}}
	taken := map[string]bool{}
	model := func() (string, *prove.Table) {
		full := name()
		bare := strings.ReplaceAll(full, "\x00", "") // no name can hold it, so it is left out
		for taken[norm.NFC.String(bare)] {
			full, bare = full+"_", bare+"_"
		}
		taken[norm.NFC.String(bare)] = true
		m := &prove.Table{}
		if schema, table, ok := strings.Cut(bare, "."); ok {
			m.Schema, m.Name = schema, table
		} else {
			m.Name = bare
		}
		w.tables = append(w.tables, m)
		return full, m
	}
	defer func() { // the package panics if it refuses a declaration
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()

	full, m := model()
	accounts := &entity[account, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *account, a actor) bool { return r.Owner == a.user }, give: func(r *account, a actor) { r.Owner = a.user }}
	var itself owner.Forward[account]
	var countriesLater owner.Forward[country] // they are declared next
	accounts.table = owner.MustTable[account, userID](full, &itself,
		owner.References(&itself, func(r *account) any { return &r.Above }),
		owner.References(&countriesLater, func(r *account) any { return &r.Country }),
		owner.Unique(func(r *account) any { return &r.ID }),
		owner.Unique(func(r *account) any { return &r.Name }))
	id := addField(accounts, "bigint", func(r *account) *int64 { return &r.ID }, func(s *source) int64 { return int64(s.n(30)) })
	addField(accounts, "bigint", func(r *account) *userID { return &r.Owner }, func(s *source) userID { return userID(s.n(4)) })
	byName := addField(accounts, "text", func(r *account) *string { return &r.Name }, (*source).text)
	addField(accounts, "text", func(r *account) **string { return &r.Nick }, (*source).optionalText)
	addField(accounts, "bigint", func(r *account) *int64 { return &r.Balance }, (*source).integer)
	addField(accounts, "double precision", func(r *account) *float64 { return &r.Score }, (*source).float)
	addField(accounts, "boolean", func(r *account) *bool { return &r.Flag }, func(s *source) bool { return s.one(2) })
	addField(accounts, "double precision", func(r *account) **float64 { return &r.Rate }, func(s *source) *float64 {
		if s.one(3) {
			return nil
		}
		f := s.float()
		return &f
	})
	addField(accounts, "text", func(r *account) *string { return &r.Secret }, (*source).text)
	addField(accounts, "bigint", func(r *account) *int64 { return &r.Version }, func(s *source) int64 { return int64(s.n(4)) })
	above := addField(accounts, "bigint", func(r *account) **int64 { return &r.Above }, optionalID)
	from := addField(accounts, "text", func(r *account) **string { return &r.Country }, (*source).optionalCode)

	full, m = model()
	m.Shared = true
	countries := &entity[country, struct{}]{w: w, model: m, owns: func(*country, actor) bool { return true }, give: func(*country, actor) {}}
	shared := owner.MustShared[country](full, &countriesLater)
	addSharedField(countries, shared, "text", func(r *country) *string { return &r.Code }, (*source).code)
	addSharedField(countries, shared, "text", func(r *country) *string { return &r.Name }, (*source).text)

	full, m = model()
	orders := &entity[order_, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *order_, a actor) bool { return r.Owner == a.user }, give: func(r *order_, a actor) { r.Owner = a.user }}
	orders.table = owner.MustTable[order_, userID](full,
		owner.References(accounts.table, func(r *order_) any { return &r.Payer }),
		owner.Unique(func(r *order_) any { return &r.Region }, func(r *order_) any { return &r.Number }))
	addField(orders, "text", func(r *order_) *string { return &r.Region }, (*source).code)
	addField(orders, "integer", func(r *order_) *int32 { return &r.Number }, (*source).small)
	addField(orders, "bigint", func(r *order_) *userID { return &r.Owner }, func(s *source) userID { return userID(s.n(4)) })
	addField(orders, "bigint", func(r *order_) *int64 { return &r.Total }, (*source).integer)
	payer := addField(orders, "bigint", func(r *order_) **int64 { return &r.Payer }, optionalID)
	addField(orders, "text", func(r *order_) *string { return &r.Remark }, (*source).text)
	addField(orders, "integer", func(r *order_) *int32 { return &r.Current }, (*source).small)

	full, m = model()
	lines := &entity[line, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *line, a actor) bool { return orders.sees([]any{r.Region, int64(r.Order)}, a) }, give: func(*line, actor) {}}
	lines.table = owner.MustThrough[line](full, orders.table,
		owner.References(accounts.table, func(r *line) any { return &r.From }),
		owner.Unique(func(r *line) any { return &r.Region }, func(r *line) any { return &r.Order }, func(r *line) any { return &r.Number }))
	m.Through = orders.model
	lr := addField(lines, "text", func(r *line) *string { return &r.Region }, (*source).code)
	lo := addField(lines, "integer", func(r *line) *int32 { return &r.Order }, (*source).small)
	addField(lines, "integer", func(r *line) *int32 { return &r.Number }, (*source).small)
	addField(lines, "text", func(r *line) **string { return &r.Text }, (*source).optionalText)
	addField(lines, "bigint", func(r *line) *int64 { return &r.Price }, (*source).integer)
	lineFrom := addField(lines, "bigint", func(r *line) **int64 { return &r.From }, optionalID)

	full, m = model()
	labels := &entity[label, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *label, a actor) bool {
			return lines.sees([]any{r.Region, int64(r.Order), int64(r.Line)}, a)
		}, give: func(*label, actor) {}}
	labels.table = owner.MustThrough[label](full, lines.table, owner.Unique(func(r *label) any { return &r.ID }))
	m.Through = lines.model
	addField(labels, "bigint", func(r *label) *int64 { return &r.ID }, func(s *source) int64 { return int64(s.n(30)) })
	br := addField(labels, "text", func(r *label) *string { return &r.Region }, (*source).code)
	bo := addField(labels, "integer", func(r *label) *int32 { return &r.Order }, (*source).small)
	bl := addField(labels, "integer", func(r *label) *int32 { return &r.Line }, (*source).small)
	addField(labels, "text", func(r *label) *string { return &r.Text }, (*source).text)

	full, m = model()
	settings := &entity[setting, userID]{w: w, model: m, scope: userScope, args: userArgs,
		owns: func(r *setting, a actor) bool { return r.Owner == a.user }, give: func(r *setting, a actor) { r.Owner = a.user }}
	settings.table = owner.MustTable[setting, userID](full)
	addField(settings, "bigint", func(r *setting) *userID { return &r.Owner }, func(s *source) userID { return userID(s.n(4)) })
	addField(settings, "text", func(r *setting) *string { return &r.Theme }, (*source).text)

	full, m = model()
	notes := &entity[note, tenantID]{w: w, model: m, scope: tenantScope, args: func(a actor) []any { return []any{a.tenant} },
		owns: func(r *note, a actor) bool { return r.Tenant == a.tenant }, give: func(r *note, a actor) { r.Tenant = a.tenant }}
	notes.table = owner.MustTable[note, tenantID](full, owner.Unique(func(r *note) any { return &r.ID }))
	addField(notes, "bigint", func(r *note) *int64 { return &r.ID }, func(s *source) int64 { return int64(s.n(30)) })
	addField(notes, "text", func(r *note) *tenantID { return &r.Tenant }, (*source).tenant)
	addField(notes, "text", func(r *note) **string { return &r.Text }, (*source).optionalText)
	addField(notes, "bigint", func(r *note) *int64 { return &r.Count }, (*source).integer)

	full, m = model()
	drafts := &entity[draft, owner.Member[tenantID, userID]]{w: w, model: m, scope: memberScope, args: func(a actor) []any { return []any{a.tenant, a.user} },
		owns: func(r *draft, a actor) bool { return r.Tenant == a.tenant && r.User == a.user },
		give: func(r *draft, a actor) { r.Tenant, r.User = a.tenant, a.user }}
	drafts.table = owner.MustTable[draft, owner.Member[tenantID, userID]](full,
		owner.References(notes.table, func(r *draft) any { return &r.Note }),
		owner.Unique(func(r *draft) any { return &r.ID }))
	addField(drafts, "text", func(r *draft) *tenantID { return &r.Tenant }, (*source).tenant)
	addField(drafts, "bigint", func(r *draft) *userID { return &r.User }, func(s *source) userID { return userID(s.n(4)) })
	did := addField(drafts, "bigint", func(r *draft) *int64 { return &r.ID }, func(s *source) int64 { return int64(s.n(30)) })
	addField(drafts, "text", func(r *draft) *string { return &r.Text }, (*source).text)
	dn := addField(drafts, "bigint", func(r *draft) **int64 { return &r.Note }, optionalID)

	accounts.model.References = []prove.Reference{{Parent: accounts.model, From: []string{"or"}}, {Parent: countries.model, From: []string{`\`}}}
	orders.model.References = []prove.Reference{{Parent: accounts.model, From: []string{"null"}}}
	lines.model.References = []prove.Reference{{Parent: accounts.model, From: []string{"from"}}}
	drafts.model.References = []prove.Reference{{Parent: notes.model, From: []string{"note"}}}
	toAbove := linked(owner.ReferenceOf(accounts.table, accounts.fields[above].column), accounts, []int{above}, accounts, true, true)
	toCountry := linked(owner.ReferenceOf(shared, accounts.fields[from].column), accounts, []int{from}, countries, false, true)
	toPayer := linked(owner.ReferenceOf(accounts.table, orders.fields[payer].column), orders, []int{payer}, accounts, true, true)
	linked(owner.ReferenceOf(accounts.table, lines.fields[lineFrom].column), lines, []int{lineFrom}, accounts, true, true)
	toOrder := linked(owner.ReferenceOf(orders.table, lines.fields[lr].column, lines.fields[lo].column), lines, []int{lr, lo}, orders, true, true)
	toLine := linked(owner.ReferenceOf(lines.table, labels.fields[br].column, labels.fields[bo].column, labels.fields[bl].column), labels, []int{br, bo, bl}, lines, true, true)
	toNote := linked(owner.ReferenceOf(notes.table, drafts.fields[dn].column), drafts, []int{dn}, notes, false, true)

	accounts.key(id)
	accounts.key(byName)
	orders.key(orders.keyFields()...)
	lines.key(lines.keyFields()...)
	labels.key(0)
	notes.key(0)
	drafts.key(did)

	accounts.register()
	orders.register()
	lines.register()
	labels.register()
	settings.register()
	notes.register()
	drafts.register()
	countries.registerShared(shared)
	registerViews(toAbove, toCountry, toPayer, toOrder, toLine, toNote)
	w.stores = []store{countries, accounts, notes, orders, settings, lines, labels, drafts}
	w.declareGranted(model)
	return w, nil
}
