package owner

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/owner/internal/access"
)

func (accessor) Describe(declarations ...any) []access.Declaration {
	out := make([]access.Declaration, len(declarations))
	done := descriptions{}
	for i, d := range declarations {
		if d, ok := d.(AnyTable); ok {
			t, g := d.declaration()
			out[i] = access.Declaration{Table: done.of(t), Grant: done.grant(g)}
		}
	}
	return out
}

// descriptions holds the tables described so far, since tables can refer to each
// other.
type descriptions map[*table]*access.Table

func (done descriptions) of(t *table) *access.Table {
	if t == nil || done[t] != nil {
		return done[t]
	}
	out := &access.Table{
		ID: t, Name: t.name, Quoted: t.quoted, Ref: t.ref, Shared: t.shared,
		OwnerTypes: slices.Clone(t.ownerTypes), Settings: settingNames(t.ownerTypes),
	}
	done[t] = out
	out.Through = done.of(t.through)
	for i, c := range t.columns {
		out.Columns = append(out.Columns, &access.Column{
			At: i, Name: c.name, Quoted: c.quoted, JSON: c.json, Index: c.index, Type: c.typ,
			PrimaryKey: c.pk, Default: c.dfault, Server: c.server,
			Readable: !c.hidden, Writable: !c.hidden && !c.server && !c.fixed(), Fixed: c.fixed(),
			Optional: c.optional(), Numeric: isNumeric(c.typ), Nullable: c.nullable,
		})
	}
	out.Owners, out.Key, out.Parent = described(out, t.owners), described(out, t.key), described(out, t.parent)
	if t.version != nil {
		out.Version = described(out, []*column{t.version})[0]
	}
	out.Incomplete = t.complete()
	for _, r := range t.references {
		if r.parent == nil {
			continue
		}
		out.References = append(out.References, access.Reference{Parent: done.of(r.parent), From: described(out, r.from)})
	}
	for _, u := range t.uniques {
		out.Uniques = append(out.Uniques, described(out, u.target))
		out.Upserts = append(out.Upserts, described(out, u.own))
	}
	return out
}

func (done descriptions) grant(g *grant) *access.Grant {
	if g == nil {
		return nil
	}
	grants := done.of(g.ref.child)
	return &access.Grant{Grants: grants, From: described(grants, g.ref.from), Narrowed: len(g.where) > 0}
}

// described returns the descriptions of columns of the table.
func described(t *access.Table, columns []*column) (out []*access.Column) {
	for _, c := range columns {
		out = append(out, t.Columns[slices.Index(c.table.columns, c)])
	}
	return out
}
