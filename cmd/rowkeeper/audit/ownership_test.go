package audit

import (
	"slices"
	"strings"
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// schemaOf makes a catalog of lines such as
//
//	accounts: id! user_id!>users name
//	transfers: id! user_id! from_id!, user_id+from_id>accounts.user_id+id
//
// An exclamation mark is NOT NULL, the first column is the primary key, and a reference
// without columns is to id.
func schemaOf(t *testing.T, text string) *catalog.Catalog {
	t.Helper()
	c := &catalog.Catalog{Engine: catalog.PostgreSQL}
	byName := map[string]*catalog.Table{}
	type reference struct {
		from *catalog.Table
		text string
	}
	var references []reference
	for line := range strings.Lines(text) {
		tableName, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		table := &catalog.Table{ID: int64(len(c.Tables) + 1), Schema: "public", Name: tableName, Kind: "r", Rows: -1}
		c.Tables = append(c.Tables, table)
		byName[tableName] = table
		columns, composite, _ := strings.Cut(rest, ",")
		for _, column := range strings.Fields(columns) {
			own, to, refers := strings.Cut(column, ">")
			name, notNull := strings.CutSuffix(own, "!")
			table.Columns = append(table.Columns, &catalog.Column{Table: table.ID, Name: name, Base: "bigint", Type: "bigint", NotNull: notNull})
			if refers {
				references = append(references, reference{table, name + ">" + to + ".id"})
			}
		}
		table.Indexes = []*catalog.Index{{Table: table.ID, Columns: []string{table.Columns[0].Name}, Unique: true, Primary: true, Valid: true}}
		for _, fk := range strings.Fields(composite) {
			references = append(references, reference{table, fk})
		}
	}
	for _, r := range references {
		from, to, _ := strings.Cut(r.text, ">")
		tableName, columns, _ := strings.Cut(to, ".")
		columns, _, _ = strings.Cut(columns, ".")
		target := byName[tableName]
		if target == nil {
			t.Fatalf("there is no table %s", tableName)
		}
		r.from.ForeignKeys = append(r.from.ForeignKeys, &catalog.ForeignKey{
			Table: r.from.ID, Name: r.text, To: target.ID, Columns: strings.Split(from, "+"), ToColumns: strings.Split(columns, "+"),
			Validated: true, Enforced: true, OnDelete: "a",
		})
	}
	c.Index()
	return c
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	c := schemaOf(t, `
		users: id! email
		organizations: id! name
		accounts: id! user_id!>users
		transfers: id! user_id! from_id!, user_id+from_id>accounts.user_id+id
		legs: id! user_id! transfer_id!, user_id+transfer_id>transfers.user_id+id
		items: id! account_id!>accounts
		parts: id! item_id!>items
		hints: id! account_id>accounts
		projects: id! user_id!>users org_id!>organizations
		drafts: id! org_id>organizations user_id!>users
		profiles: id!>users bio
		posts: id! author_id!>users approved_by>users
		memberships: organization_id!>organizations user_id!>users
		schema_migrations: id! user_id!>users
		customers: id! name
		bills: id! customer_id!>customers`)
	o, err := newOwnership(c, new(config.Config))
	if err != nil {
		t.Fatal(err)
	}
	owners, parents := map[string]string{}, map[string]string{}
	for _, table := range c.Tables {
		var names []string
		for _, column := range o.columns[table.ID] {
			names = append(names, column.Name)
		}
		owners[table.Name] = strings.Join(names, " ")
		names = nil
		for _, parent := range o.parents[table.ID] {
			names = append(names, parent.Name)
		}
		parents[table.Name] = strings.Join(names, " ")
	}
	for table, want := range map[string]string{
		"accounts": "user_id", "transfers": "user_id", "legs": "user_id", "items": "", "hints": "",
		"projects": "org_id user_id", "drafts": "user_id org_id", "profiles": "id", "posts": "", "memberships": "organization_id user_id",
		"schema_migrations": "", "bills": "", "users": "",
	} {
		if owners[table] != want {
			t.Errorf("owner of %s: %q, want %q", table, owners[table], want)
		}
	}
	for table, want := range map[string]string{"items": "accounts", "parts": "items", "hints": "", "accounts": "", "posts": ""} {
		if parents[table] != want {
			t.Errorf("parents of %s: %q, want %q", table, parents[table], want)
		}
	}
}

// A table such as customers has principals only if somebody can log in, or if it is
// configured.
func TestPrincipals(t *testing.T) {
	t.Parallel()
	text := `
		accounts: id! email password_hash
		customers: id! name
		bills: id! customer_id!>customers
		carts: id! account_id!>accounts
		users: email`
	c := schemaOf(t, text)
	o, err := newOwnership(c, new(config.Config))
	if err != nil {
		t.Fatal(err)
	}
	if o.principals[1] == nil || o.principals[2] != nil || o.principals[5] == nil {
		t.Errorf("principals: %v", o.principals)
	}
	if owner := o.owner(c.Find("carts")[0]); owner == nil || owner.kind() != "account" {
		t.Errorf("owner of carts: %v", owner)
	}

	c = schemaOf(t, text)
	if o, err = newOwnership(c, &config.Config{Principals: []string{"customers"}}); err != nil {
		t.Fatal(err)
	}
	if o.owner(c.Find("bills")[0]) == nil || o.owner(c.Find("carts")[0]) != nil {
		t.Error("the configured principals are not the only ones")
	}
}

func TestConfiguredOwners(t *testing.T) {
	t.Parallel()
	text := "users: id!\nnotes: id! writer_id!>users user_id!>users\nfiles: id! holder"
	c := schemaOf(t, text)
	o, err := newOwnership(c, &config.Config{Owned: map[string]string{"notes": "writer_id", "public.files": "holder"}})
	if err != nil {
		t.Fatal(err)
	}
	if owner := o.owner(c.Find("notes")[0]); owner.Name != "writer_id" || owner.kind() != "user" {
		t.Errorf("owner of notes: %s, a %s", owner.Name, owner.kind())
	}
	if owner := o.owner(c.Find("files")[0]); owner.Name != "holder" || owner.kind() != "owner" {
		t.Errorf("owner of files: %s, a %s", owner.Name, owner.kind())
	}
	for _, bad := range []*config.Config{
		{Owned: map[string]string{"nothing": "x"}}, {Owned: map[string]string{"notes": "nothing"}}, {Principals: []string{"nothing"}},
	} {
		if _, err := newOwnership(schemaOf(t, text), bad); err == nil || !strings.Contains(err.Error(), "nothing") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// A target that may be a user or something else is no owner.
func TestAlternativeIsNoOwner(t *testing.T) {
	t.Parallel()
	c := schemaOf(t, "users: id!\ngroups: id!\ntargets: id! user_id>users group_id>groups")
	table := c.Find("targets")[0]
	table.Checks = []*catalog.Check{{Definition: "CHECK (((user_id IS NULL) <> (group_id IS NULL)))", Validated: true, Enforced: true}}
	o, err := newOwnership(c, new(config.Config))
	if err != nil || o.owner(table) != nil {
		t.Errorf("owner %v, %v", o.owner(table), err)
	}
	table.Checks = nil
	if o, err = newOwnership(c, new(config.Config)); err != nil || o.owner(table) == nil {
		t.Errorf("without the check: %v", err)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	c := schemaOf(t, "users: id! email\naccounts: id! user_id!>users name\nitems: id! account_id!>accounts\nseats: user_id!>users organization_id!>organizations\norganizations: id!")
	seats := c.Find("seats")[0]
	seats.Indexes[0].Columns = []string{"organization_id", "user_id", "id"}
	seats.Columns = append(seats.Columns, &catalog.Column{Name: "id", NotNull: true, HasDefault: true})
	o, err := newOwnership(c, new(config.Config))
	if err != nil {
		t.Fatal(err)
	}
	s := export(c, o)
	if s.Engine != "postgresql" || len(s.Tables) != 5 {
		t.Fatalf("%+v", s)
	}
	users, accounts, items, seat := s.Tables[0], s.Tables[1], s.Tables[2], s.Tables[3]
	if !users.Principal || users.Columns[1] != (config.Column{Name: "email", Type: "bigint", Nullable: true}) {
		t.Errorf("%+v", users)
	}
	if !slices.Equal(accounts.Owner, []string{"user_id"}) || !slices.Equal(accounts.Constraints, []string{"", "user_id>users.id"}) {
		t.Errorf("%+v", accounts)
	}
	if items.Owner != nil || !slices.Equal(items.Parents, []string{"public.accounts"}) || !slices.Equal(items.Unique[0], []string{"id"}) {
		t.Errorf("%+v", items)
	}
	if !slices.Equal(seat.Owner, []string{"organization_id", "user_id"}) || !seat.Columns[2].Default {
		t.Errorf("%+v", seat)
	}
}
