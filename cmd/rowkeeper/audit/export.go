package audit

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

func export(c *catalog.Catalog, owners *ownership) *config.Schema {
	s := &config.Schema{Engine: c.Engine, Tables: []config.Table{}}
	for _, t := range c.Tables {
		if foreign(t) == "" {
			s.Tables = append(s.Tables, exportTable(t, owners))
		}
	}
	return s
}

func exportTable(t *catalog.Table, owners *ownership) config.Table {
	x := config.Table{
		Schema: t.Schema, Name: t.Name, Owner: owners.exported(t), Principal: owners.principals[t.ID] != nil,
	}
	for _, parent := range owners.parents[t.ID] {
		x.Parents = append(x.Parents, parent.String())
	}
	for _, column := range t.Columns {
		if !column.Hidden {
			x.Columns = append(x.Columns, config.Column{
				Name: column.Name, Type: column.Type, Nullable: !column.NotNull, Default: column.Filled(),
			})
		}
	}
	if pk := t.Primary(); pk != nil && identifies(t, pk) {
		x.Unique = append(x.Unique, pk.Columns)
	}
	for _, i := range t.Indexes {
		if i.Enforces() && !i.Primary && !i.Expression() {
			x.Unique = append(x.Unique, i.Columns)
		}
		if i.Unique || i.Constraint != "" { // a violation names it
			x.Constraints = append(x.Constraints, i.Name)
		}
	}
	for _, fk := range t.ForeignKeys {
		x.Constraints = append(x.Constraints, fk.Name)
	}
	for _, check := range t.Checks {
		x.Constraints = append(x.Constraints, check.Name)
	}
	return x
}
