package main

import "github.com/rowkeeper/rowkeeper/owner"

// The rows of the views.

// card reads columns that its tables hide.
type card struct {
	ID          int64   `db:"id"`
	Name        string  `db:"select"`
	Score       float64 `db:"sco'--re"`
	Secret      string  `db:"_p" owner:"hidden"`
	Country     *string `db:"na.name"`
	Above       *string `db:"$1.select"`
	AboveNick   *string `db:"$1.a.b"`
	AboveSecret *string `db:"$1._p" owner:"hidden"`
}

type invoice struct {
	Region     string  `db:"region"`
	Number     int32   `db:"number; drop table x--"`
	Total      int64   `db:" - "`
	Payer      *string `db:"select.select"`
	LineRegion *string `db:"\".region"`
	LineOrder  *int32  `db:"\".number; drop table x--"`
	Line       *int32  `db:"\".no"`
	Text       *string `db:"\".id"`
}

// bill goes down through all levels.
type bill struct {
	ID         int64   `db:"id"`
	Region     string  `db:"order.region"`
	Number     int32   `db:"order.number; drop table x--"`
	LineRegion string  `db:"line.region"`
	LineOrder  int32   `db:"line.number; drop table x--"`
	Line       int32   `db:"line.no"`
	Price      int64   `db:"line.user"`
	Label      *int64  `db:"label.id"`
	Text       *string `db:"label.😀"`
}

// tag goes up through all levels.
type tag struct {
	ID    int64   `db:"id"`
	Price int64   `db:"line.user"`
	Total int64   `db:"_0. - "`
	Payer *int64  `db:"_1.id"`
	Rate  *string `db:"_1.\\"`
}

type region struct {
	Region string   `db:"region"`
	Rows   int64    `db:"*" owner:"count"`
	Lines  int32    `db:"line.no" owner:"count"`
	Sum    int64    `db:"line.user" owner:"sum"`
	Least  *int64   `db:"line.user" owner:"min"`
	Most   *string  `db:"line.id" owner:"max"`
	Mean   *float64 `db:"line.user" owner:"avg"`
}

// totals is always one row.
type totals struct {
	Rows    int64    `db:"*" owner:"count"`
	Balance int64    `db:"$1" owner:"sum"`
	Least   *string  `db:"select" owner:"min"`
	Secret  *string  `db:"_p" owner:"max,hidden"`
	Mean    *float64 `db:"$1" owner:"avg"`
	Score   float64  `db:"sco'--re" owner:"sum"`
	Best    *float64 `db:"sco'--re" owner:"max"`
}

type place struct {
	Code *string `db:"country.code"`
	Flag bool    `db:"/* */"`
}

type nation struct {
	Name  string   `db:"country.name"`
	Mean  *float64 `db:"$1" owner:"avg"`
	Score *float64 `db:"sco'--re" owner:"min"`
	IDs   float64  `db:"id" owner:"sum"`
}

type proposal struct {
	ID    int64   `db:"id"`
	Text  string  `db:"'"`
	Note  *string `db:"note.e\u0301"`
	Count *int64  `db:"note.count"`
}

// due has nothing that identifies its rows.
type due struct {
	Total int64  `db:" - "`
	Payer string `db:"payer.select"`
}

// mean avoids infinities, because the databases' own numbers have none.
func mean(s *source) *float64 {
	v := pick(s, 0, 1, 1.5, -2, 2, 1e18)
	return &v
}

func optionalInteger(s *source) *int64 {
	v := s.integer()
	return &v
}

func optionalSmall(s *source) *int32 {
	v := s.small()
	return &v
}

func registerViews(
	toAbove linkage[account, account, userID, userID], toCountry linkage[account, country, userID, struct{}],
	toPayer linkage[order_, account, userID, userID], toOrder linkage[line, order_, userID, userID], toLine linkage[label, line, userID, userID],
	toNote linkage[draft, note, owner.Member[tenantID, userID], tenantID],
) {
	accounts, orders := toAbove.parent, toPayer.child
	id := func(s *source) int64 { return int64(s.n(30)) }

	cards := newView[card](accounts, false, toCountry.toParent("na", 0, true), toAbove.toParent("$1", 0, true))
	addViewField(cards, func(r *card) *int64 { return &r.ID }, id)
	addViewField(cards, func(r *card) *string { return &r.Name }, (*source).text)
	addViewField(cards, func(r *card) *float64 { return &r.Score }, (*source).float)
	addViewField(cards, func(r *card) *string { return &r.Secret }, (*source).text)
	addViewField(cards, func(r *card) **string { return &r.Country }, (*source).optionalText)
	addViewField(cards, func(r *card) **string { return &r.Above }, (*source).optionalText)
	addViewField(cards, func(r *card) **string { return &r.AboveNick }, (*source).optionalText)
	addViewField(cards, func(r *card) **string { return &r.AboveSecret }, (*source).optionalText)
	cards.register()

	invoices := newView[invoice](orders, false, toPayer.toParent("select", 0, true), toOrder.toChildren(`"`, 0, true))
	addViewField(invoices, func(r *invoice) *string { return &r.Region }, (*source).code)
	addViewField(invoices, func(r *invoice) *int32 { return &r.Number }, (*source).small)
	addViewField(invoices, func(r *invoice) *int64 { return &r.Total }, (*source).integer)
	addViewField(invoices, func(r *invoice) **string { return &r.Payer }, (*source).optionalText)
	addViewField(invoices, func(r *invoice) **string { return &r.LineRegion }, (*source).optionalCode)
	addViewField(invoices, func(r *invoice) **int32 { return &r.LineOrder }, optionalSmall)
	addViewField(invoices, func(r *invoice) **int32 { return &r.Line }, optionalSmall)
	addViewField(invoices, func(r *invoice) **string { return &r.Text }, (*source).optionalText)
	invoices.register()

	bills := newView[bill](accounts, false, toPayer.toChildren("order", 0, false), toOrder.toChildren("line", 1, false), toLine.toChildren("label", 2, true))
	addViewField(bills, func(r *bill) *int64 { return &r.ID }, id)
	addViewField(bills, func(r *bill) *string { return &r.Region }, (*source).code)
	addViewField(bills, func(r *bill) *int32 { return &r.Number }, (*source).small)
	addViewField(bills, func(r *bill) *string { return &r.LineRegion }, (*source).code)
	addViewField(bills, func(r *bill) *int32 { return &r.LineOrder }, (*source).small)
	addViewField(bills, func(r *bill) *int32 { return &r.Line }, (*source).small)
	addViewField(bills, func(r *bill) *int64 { return &r.Price }, (*source).integer)
	addViewField(bills, func(r *bill) **int64 { return &r.Label }, optionalID)
	addViewField(bills, func(r *bill) **string { return &r.Text }, (*source).optionalText)
	bills.register()

	tags := newView[tag](toLine.child, false, toLine.toParent("line", 0, false), toOrder.toParent("_0", 1, false), toPayer.toParent("_1", 2, true))
	addViewField(tags, func(r *tag) *int64 { return &r.ID }, id)
	addViewField(tags, func(r *tag) *int64 { return &r.Price }, (*source).integer)
	addViewField(tags, func(r *tag) *int64 { return &r.Total }, (*source).integer)
	addViewField(tags, func(r *tag) **int64 { return &r.Payer }, optionalID)
	addViewField(tags, func(r *tag) **string { return &r.Rate }, (*source).optionalCode)
	tags.register()

	regions := newView[region](orders, false, toOrder.toChildren("line", 0, true))
	addViewField(regions, func(r *region) *string { return &r.Region }, (*source).code)
	addViewField(regions, func(r *region) *int64 { return &r.Rows }, (*source).integer)
	addViewField(regions, func(r *region) *int32 { return &r.Lines }, (*source).small)
	addViewField(regions, func(r *region) *int64 { return &r.Sum }, (*source).integer)
	addViewField(regions, func(r *region) **int64 { return &r.Least }, optionalInteger)
	addViewField(regions, func(r *region) **string { return &r.Most }, (*source).optionalText)
	addViewField(regions, func(r *region) **float64 { return &r.Mean }, mean)
	regions.register()

	sums := newView[totals](accounts, false)
	addViewField(sums, func(r *totals) *int64 { return &r.Rows }, (*source).integer)
	addViewField(sums, func(r *totals) *int64 { return &r.Balance }, (*source).integer)
	addViewField(sums, func(r *totals) **string { return &r.Least }, (*source).optionalText)
	addViewField(sums, func(r *totals) **string { return &r.Secret }, (*source).optionalText)
	addViewField(sums, func(r *totals) **float64 { return &r.Mean }, mean)
	addViewField(sums, func(r *totals) *float64 { return &r.Score }, (*source).float)
	addViewField(sums, func(r *totals) **float64 { return &r.Best }, mean)
	sums.register()

	places := newView[place](accounts, true, toCountry.toParent("country", 0, true))
	addViewField(places, func(r *place) **string { return &r.Code }, (*source).optionalCode)
	addViewField(places, func(r *place) *bool { return &r.Flag }, func(s *source) bool { return s.one(2) })
	places.register()

	nations := newView[nation](accounts, false, toCountry.toParent("country", 0, false))
	addViewField(nations, func(r *nation) *string { return &r.Name }, (*source).text)
	addViewField(nations, func(r *nation) **float64 { return &r.Mean }, mean)
	addViewField(nations, func(r *nation) **float64 { return &r.Score }, mean)
	addViewField(nations, func(r *nation) *float64 { return &r.IDs }, func(s *source) float64 { return *mean(s) })
	nations.register()

	proposals := newView[proposal](toNote.child, false, toNote.toParent("note", 0, true))
	addViewField(proposals, func(r *proposal) *int64 { return &r.ID }, id)
	addViewField(proposals, func(r *proposal) *string { return &r.Text }, (*source).text)
	addViewField(proposals, func(r *proposal) **string { return &r.Note }, (*source).optionalText)
	addViewField(proposals, func(r *proposal) **int64 { return &r.Count }, optionalInteger)
	proposals.register()

	dues := newView[due](orders, false, toPayer.toParent("payer", 0, false))
	addViewField(dues, func(r *due) *int64 { return &r.Total }, (*source).integer)
	addViewField(dues, func(r *due) *string { return &r.Payer }, (*source).text)
	dues.register()
}
