package config

// A Schema is what audit exports for vet and probe: rowkeeper.schema.json.
type Schema struct {
	Engine string  `json:"engine"` // "postgresql" or "cockroachdb"
	Tables []Table `json:"tables"`
}

// A Table of a Schema.
type Table struct {
	Schema      string     `json:"schema"`
	Name        string     `json:"name"`
	Columns     []Column   `json:"columns"`
	Owner       []string   `json:"owner,omitempty"`       // the columns that hold the owner: tenant and user, or one
	Parents     []string   `json:"parents,omitempty"`     // owned tables that it belongs to, "schema.table", if it has no owner column
	Principal   bool       `json:"principal,omitempty"`   // the table of users, accounts or tenants itself
	Unique      [][]string `json:"unique,omitempty"`      // the columns of each unique key, the primary key first
	Constraints []string   `json:"constraints,omitempty"` // names, which no client should see
}

// A Column of a Table.
type Column struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // as the database writes it
	Nullable bool   `json:"nullable,omitempty"`
	Default  bool   `json:"default,omitempty"` // the database can fill it: a default, an identity or a generated value
}
