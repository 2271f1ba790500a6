package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// A Forward stands for a table with rows R that is declared later, or that refers to
// itself. The zero value is ready for use. [References] takes its address, and so does
// the declaration of the table that it stands for, as an option:
//
//	var (
//		comments owner.Forward[Comment]
//		Comments = owner.MustTable[Comment, UserID]("comments", &comments,
//			owner.References(&comments, func(c *Comment) any { return &c.Answers }))
//	)
//
// Until a Forward stands for a table, every statement on a table that refers to it is
// refused, so a forgotten option drops no check. The references must fit the table, and
// a Forward stands for one table only. It must not be copied after its first use.
type Forward[R any] struct {
	_ [0]func(R)
	f core.Forward
}

func (f *Forward[R]) declared(R) *core.Table {
	if f == nil {
		return nil
	}
	return f.f.Table
}

func (f *Forward[R]) declare(_ R, d *core.Declaration) {
	if f == nil {
		d.Define(nil)
		return
	}
	d.Define(&f.f)
}
