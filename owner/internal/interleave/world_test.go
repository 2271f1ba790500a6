package interleave

import (
	"strconv"
	"strings"
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type UserID int64

// A Doc has an owner; notes belong to a doc, and marks to a note. A link belongs to
// the owner who made it and points at a doc. A share lets an owner read a doc.
type (
	Doc struct {
		ID    int64  `db:"id" owner:"pk"`
		User  UserID `db:"user_id" owner:"owner"`
		Title string `db:"title"`
	}
	Note struct {
		ID      int64  `db:"id" owner:"pk"`
		Doc     int64  `db:"doc_id" owner:"parent"`
		Pos     int64  `db:"pos"`
		Text    string `db:"text"`
		Version int64  `db:"version" owner:"version"`
	}
	Mark struct {
		ID   int64  `db:"id" owner:"pk"`
		Note int64  `db:"note_id" owner:"parent"`
		Text string `db:"text"`
	}
	Link struct {
		ID   int64  `db:"id" owner:"pk"`
		User UserID `db:"user_id" owner:"owner"`
		Doc  *int64 `db:"doc_id"`
		Text string `db:"text"`
	}
	Share struct {
		User UserID `db:"user_id" owner:"owner,pk"`
		Doc  int64  `db:"doc_id" owner:"pk"`
	}
	NoteView struct {
		ID    int64  `db:"id"`
		Text  string `db:"text"`
		Title string `db:"doc.title"`
	}
)

var (
	Docs     = owner.MustTable[Doc, UserID]("docs", owner.Unique(func(d *Doc) any { return &d.ID }))
	DocID    = owner.Column(Docs, func(d *Doc) *int64 { return &d.ID })
	DocTitle = owner.Column(Docs, func(d *Doc) *string { return &d.Title })

	Notes = owner.MustThrough[Note]("notes", Docs,
		owner.Unique(func(n *Note) any { return &n.ID }), owner.Unique(func(n *Note) any { return &n.Pos }))
	NoteID   = owner.Column(Notes, func(n *Note) *int64 { return &n.ID })
	NoteDoc  = owner.Column(Notes, func(n *Note) *int64 { return &n.Doc })
	NotePos  = owner.Column(Notes, func(n *Note) *int64 { return &n.Pos })
	NoteText = owner.Column(Notes, func(n *Note) *string { return &n.Text })
	OfDoc    = owner.ReferenceOf(Docs, NoteDoc)
	Titled   = owner.MustView[NoteView](Notes, owner.Join("doc", OfDoc))
	TitledID = owner.Column(Titled, func(v *NoteView) *int64 { return &v.ID })

	Marks    = owner.MustThrough[Mark]("marks", Notes, owner.Unique(func(m *Mark) any { return &m.ID }))
	MarkID   = owner.Column(Marks, func(m *Mark) *int64 { return &m.ID })
	MarkText = owner.Column(Marks, func(m *Mark) *string { return &m.Text })

	Links = owner.MustTable[Link, UserID]("links",
		owner.Unique(func(l *Link) any { return &l.ID }), owner.References(Docs, func(l *Link) any { return &l.Doc }))
	LinkID   = owner.Column(Links, func(l *Link) *int64 { return &l.ID })
	LinkDoc  = owner.Column(Links, func(l *Link) **int64 { return &l.Doc })
	LinkText = owner.Column(Links, func(l *Link) *string { return &l.Text })
	AtDoc    = owner.ReferenceOf(Docs, LinkDoc)

	Shares   = owner.MustTable[Share, UserID]("shares")
	ShareDoc = owner.Column(Shares, func(s *Share) *int64 { return &s.Doc })
	Shared   = owner.GrantedBy(Docs, Shares, ShareDoc)
)

// There are no foreign keys, whose locks would hide that the package's are missing,
// and no index with the owner, which would make the owner part of a key.
const ddl = `create table docs (id int8 primary key, user_id int8 not null, title text not null);
create table notes (id int8 primary key, doc_id int8 not null, pos int8 not null, text text not null, version int8 not null, unique (doc_id, pos));
create table marks (id int8 primary key, note_id int8 not null, text text not null);
create table links (id int8 primary key, user_id int8 not null, doc_id int8, text text not null);
create table shares (user_id int8 not null, doc_id int8 not null, primary key (user_id, doc_id));`

const (
	alice UserID = ownerkit.Alice
	bob   UserID = ownerkit.Bob
	carol UserID = 44
)

var mine, his, hers = ownerkit.Scope(alice), ownerkit.Scope(bob), ownerkit.Scope(carol)

// place is the rows of one schedule: all have the same id. The next id is that of
// rows that do not exist yet, and of Bob's doc.
type place struct{ id int64 }

func (p place) fill(t *testing.T, db *dbtest.DB) {
	t.Helper()
	ownerkit.MustExec(t, db, strings.NewReplacer("{0}", str(p.id), "{1}", str(p.id+1), "{2}", str(p.id+2)).Replace(`
		insert into docs values ({0}, 42, 'title'), ({1}, 43, 'title'), ({2}, 42, 'title');
		insert into notes values ({0}, {0}, 1, 'text', 1);
		insert into marks values ({0}, {0}, 'text');
		insert into links values ({0}, 42, {2}, 'text'), ({1}, 43, {0}, 'text');
		insert into shares values (44, {0})`))
}

func str(n int64) string { return strconv.FormatInt(n, 10) }
