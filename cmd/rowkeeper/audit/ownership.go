package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// ownership says whose the rows of each table are. It is found in this order:
//
//   - a principal is a table of users or tenants, by its name, or by a name such as
//     accounts together with a column for a credential, or by the configuration;
//   - an owner column refers to a principal, and its name says that it is the owner, and
//     not, say, who approved the row, or it is the primary key; or it is configured;
//   - a composite foreign key hands the owner on: what refers to an owner column is one;
//   - a table without an owner column belongs to the owned tables that it must refer to.
//
// Of several owner columns, one that is always set comes first, and a tenant's before a user's.
type ownership struct {
	catalog    *catalog.Catalog
	principals map[int64]*principal
	columns    map[int64][]*ownerColumn
	parents    map[int64][]*catalog.Table
}

type principal struct {
	table  *catalog.Table
	name   string // "user", in the singular
	tenant bool   // many people share its rows
	key    string // the column that others refer to
}

// An ownerColumn holds the owner of a row.
type ownerColumn struct {
	*catalog.Column
	principal *principal          // nil if it is only configured
	fk        *catalog.ForeignKey // through which it is known, or nil
}

// Tables of tenants and of users, in the singular.
var (
	tenantNames = set("tenant organization organisation org workspace")
	userNames   = set("user app_user")

	// These need a column for a credential too.
	accountNames    = set("account member customer client person profile player admin staff employee driver merchant company")
	credentialNames = set(`password password_hash hashed_password encrypted_password password_digest pass_hash passwd
		password_hashed crypted_password`)
)

// newOwnership finds out who owns what. The error is one of the configuration.
func newOwnership(c *catalog.Catalog, conf *config.Config) (*ownership, error) {
	o := &ownership{
		catalog: c, principals: map[int64]*principal{}, columns: map[int64][]*ownerColumn{},
		parents: map[int64][]*catalog.Table{},
	}
	if err := o.findPrincipals(conf.Principals); err != nil {
		return nil, err
	}
	if err := o.configure(conf.Owned); err != nil {
		return nil, err
	}
	for _, t := range c.Tables {
		if foreign(t) == "" && len(o.columns[t.ID]) == 0 {
			o.findOwners(t)
		}
	}
	for o.handOn() {
	}
	for _, t := range c.Tables {
		slices.SortStableFunc(o.columns[t.ID], func(a, b *ownerColumn) int { return a.rank() - b.rank() })
	}
	for o.findParents() {
	}
	return o, nil
}

func (o *ownership) findPrincipals(configured []string) error {
	for _, name := range configured {
		tables := o.catalog.Find(name)
		if len(tables) == 0 {
			return fmt.Errorf("principals: there is no table %s", name)
		}
		for _, t := range tables {
			o.addPrincipal(t)
		}
	}
	if len(configured) > 0 {
		return nil
	}
	for _, t := range o.catalog.Tables {
		name := singular(t.Name)
		if tenantNames[name] || userNames[name] || accountNames[name] && hasCredential(t) {
			o.addPrincipal(t)
		}
	}
	return nil
}

func hasCredential(t *catalog.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return credentialNames[snake(c.Name)] })
}

// addPrincipal adds the table if something can refer to it.
func (o *ownership) addPrincipal(t *catalog.Table) {
	key := keyColumn(t)
	if key == nil {
		return
	}
	name := singular(t.Name)
	o.principals[t.ID] = &principal{table: t, name: name, tenant: tenantNames[name], key: key.Name}
}

// keyColumn returns the column that identifies a row by itself: the primary key, the end of
// a composite one if it is unique alone, or a column "id" that is.
func keyColumn(t *catalog.Table) *catalog.Column {
	if pk := t.Primary(); pk != nil && len(pk.Columns) == 1 {
		return t.Column(pk.Columns[0])
	}
	for _, i := range t.Indexes {
		if i.Enforces() && len(i.Columns) == 1 && (i.Columns[0] == "id" || i.Columns[0] == singular(t.Name)+"_id") {
			return t.Column(i.Columns[0])
		}
	}
	return nil
}

// configure applies the owner columns of the configuration.
func (o *ownership) configure(owned map[string]string) error {
	for name, column := range owned {
		tables := o.catalog.Find(name)
		if len(tables) == 0 {
			return fmt.Errorf("owned: there is no table %s", name)
		}
		for _, t := range tables {
			c := t.Column(column)
			if c == nil {
				return fmt.Errorf("owned: table %s has no column %s", t, column)
			}
			x := &ownerColumn{Column: c}
			for _, fk := range t.ForeignKeys {
				if p := o.principals[fk.To]; p != nil && slices.Equal(fk.Columns, []string{column}) {
					x.principal, x.fk = p, fk
				}
			}
			o.columns[t.ID] = []*ownerColumn{x}
		}
	}
	return nil
}

// findOwners looks for foreign keys to principals whose column names the owner.
func (o *ownership) findOwners(t *catalog.Table) {
	for _, fk := range t.ForeignKeys {
		p := o.principals[fk.To]
		if p == nil || len(fk.Columns) != 1 || fk.To == t.ID {
			continue
		}
		c := t.Column(fk.Columns[0])
		if c == nil || !c.NotNull && alternative(t, c.Name) {
			continue
		}
		pk := t.Primary()
		extends := pk != nil && slices.Equal(pk.Columns, fk.Columns) // a row more of the same principal
		if extends || p.names(c.Name) {
			o.add(t, &ownerColumn{Column: c, principal: p, fk: fk})
		}
	}
}

// alternative reports whether a check decides between the column and others, as for a
// target that may be a user or something else.
func alternative(t *catalog.Table, column string) bool {
	return slices.ContainsFunc(t.Checks, func(c *catalog.Check) bool {
		return mentions(c.Definition, column) && mentions(c.Definition, "NULL") && slices.ContainsFunc(t.ForeignKeys, func(fk *catalog.ForeignKey) bool {
			return len(fk.Columns) == 1 && fk.Columns[0] != column && mentions(c.Definition, fk.Columns[0])
		})
	})
}

func (o *ownership) add(t *catalog.Table, x *ownerColumn) bool {
	if slices.ContainsFunc(o.columns[t.ID], func(y *ownerColumn) bool { return y.Name == x.Name }) {
		return false
	}
	o.columns[t.ID] = append(o.columns[t.ID], x)
	return true
}

var ownerNames = set("owner owner_id owned_by owner_user_id tenant tenant_id")

// names reports whether a column of that name holds the principal that owns the row.
func (p *principal) names(column string) bool {
	column = snake(column)
	if ownerNames[column] || column == p.name || column == p.name+"_id" || column == p.name+"_"+snake(p.key) {
		return true
	}
	if p.tenant && (column == "org_id" || column == "org") {
		return true
	}
	return column == snake(p.key) && column != "id"
}

// handOn makes owners of the columns that refer to an owner column in a composite foreign
// key. It reports whether it found one.
func (o *ownership) handOn() (found bool) {
	for _, t := range o.catalog.Tables {
		if foreign(t) != "" {
			continue
		}
		for _, fk := range t.ForeignKeys {
			if len(fk.Columns) < 2 || fk.To == t.ID {
				continue
			}
			for _, above := range o.columns[fk.To] {
				i := slices.Index(fk.ToColumns, above.Name)
				if i < 0 {
					continue
				}
				if c := t.Column(fk.Columns[i]); c != nil && o.add(t, &ownerColumn{Column: c, principal: above.principal, fk: fk}) {
					found = true
				}
			}
		}
	}
	return found
}

// findParents finds the owned tables that rows without an owner column must refer to. It
// reports whether it found one.
func (o *ownership) findParents() (found bool) {
	for _, t := range o.catalog.Tables {
		if len(o.columns[t.ID]) > 0 || o.principals[t.ID] != nil || foreign(t) != "" {
			continue
		}
		for _, fk := range t.ForeignKeys {
			parent := o.catalog.ByID(fk.To)
			if parent == nil || parent == t || !o.owned(parent) || slices.Contains(o.parents[t.ID], parent) || !required(t, fk) {
				continue
			}
			o.parents[t.ID] = append(o.parents[t.ID], parent)
			found = true
		}
	}
	return found
}

// required reports whether each row has to refer to another through the foreign key.
func required(t *catalog.Table, fk *catalog.ForeignKey) bool {
	for _, name := range fk.Columns {
		if c := t.Column(name); c == nil || !c.NotNull {
			return false
		}
	}
	return true
}

// owned reports whether the rows of a table belong to somebody.
func (o *ownership) owned(t *catalog.Table) bool {
	return len(o.columns[t.ID]) > 0 || len(o.parents[t.ID]) > 0
}

// owner returns the column by which the rows of a table are told apart, or nil.
func (o *ownership) owner(t *catalog.Table) *ownerColumn {
	if columns := o.columns[t.ID]; len(columns) > 0 {
		return columns[0]
	}
	return nil
}

// rank puts columns that are always set first, and tenants before users.
func (c *ownerColumn) rank() int {
	rank := 0
	if !c.NotNull {
		rank += 2
	}
	if c.principal == nil || !c.principal.tenant {
		rank++
	}
	return rank
}

// exported returns the owner columns for others: the first, and a second one if the
// primary key begins with both.
func (o *ownership) exported(t *catalog.Table) []string {
	columns := o.columns[t.ID]
	if len(columns) == 0 {
		return nil
	}
	names := []string{columns[0].Name}
	if pk := t.Primary(); pk != nil && len(columns) > 1 && len(pk.Columns) > 2 &&
		contains(pk.Columns[:2], columns[0].Name, columns[1].Name) {
		names = append(names, columns[1].Name)
	}
	return names
}

// kind returns "user" or "organization" for messages.
func (c *ownerColumn) kind() string {
	if c.principal == nil {
		return "owner"
	}
	return strings.ReplaceAll(c.principal.name, "_", " ")
}
