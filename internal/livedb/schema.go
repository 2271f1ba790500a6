package livedb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Querier is the part of a database that is needed to read its schema.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Schema is the part of a database that an application sees.
type Schema struct {
	Cockroach  bool
	Version    string      // as the server describes itself
	SearchPath []string    // the schemas of it that exist
	User       string      // the role of the connection
	Types      *pgtype.Map // of the connection, or nil if it is not known
	Tables     []*Table    // by schema and name

	DomainChecks []*DomainCheck // of ReadDomainChecks
	Views        []*View        // of ReadRowSecurity
	Roles        []*Role        // of ReadRowSecurity

	byID map[int64]*Table
}

// Both engines report their version in the same way.
const sqlServer = `
select version()::text, coalesce(array(select s::text from unnest(current_schemas(false)) as u(s)), '{}'), current_user::text`

// Read reads the tables of the search_path and of the other schemas, with their
// columns, indexes and constraints. Their partitions and inheriting tables are read in
// whatever schema they are.
func Read(ctx context.Context, db Querier, others ...string) (*Schema, error) {
	s, err := readServer(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := s.readTables(ctx, db, append(slices.Clone(s.SearchPath), others...)); err != nil {
		return nil, err
	}
	ids := s.ids(func(*Table) bool { return true })
	if err := s.readColumns(ctx, db, ids); err != nil {
		return nil, err
	}
	if err := s.readIndexes(ctx, db, ids); err != nil {
		return nil, err
	}
	return s, s.readConstraints(ctx, db, ids)
}

func readServer(ctx context.Context, db Querier) (*Schema, error) {
	type server struct {
		Version    string
		SearchPath []string
		User       string
	}
	rows, err := db.Query(ctx, sqlServer)
	if err != nil {
		return nil, err
	}
	var types *pgtype.Map
	if conn := rows.Conn(); conn != nil {
		types = conn.TypeMap().Copy() // before others can use the connection
	}
	servers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[server])
	if err != nil {
		return nil, err
	}
	if len(servers) != 1 {
		return nil, fmt.Errorf("the server said %d times what it is", len(servers))
	}
	is := servers[0]
	return &Schema{
		Cockroach: strings.Contains(is.Version, "CockroachDB"), Version: is.Version,
		SearchPath: is.SearchPath, User: is.User, Types: types, byID: map[int64]*Table{},
	}, nil
}

// constant is the text of a statement. A string cannot be passed as one, only a
// constant can.
type constant string

// on returns the statement for the server.
func (s *Schema) on(postgres, cockroach constant) constant {
	if s.Cockroach {
		return cockroach
	}
	return postgres
}

func collect[T any](ctx context.Context, db Querier, sql constant, args ...any) ([]*T, error) {
	rows, err := db.Query(ctx, string(sql), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[T])
}

func (s *Schema) ids(of func(*Table) bool) (ids []int64) {
	for _, t := range s.Tables {
		if of(t) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// ByID returns the table with that ID, or nil.
func (s *Schema) ByID(id int64) *Table { return s.byID[id] }

// Find returns the first table of that name in the schemas, or nil.
func (s *Schema) Find(name string, schemas ...string) *Table {
	for _, schema := range schemas {
		if i := slices.IndexFunc(s.Tables, func(t *Table) bool { return t.Schema == schema && t.Name == name }); i >= 0 {
			return s.Tables[i]
		}
	}
	return nil
}

// Children returns the partitions of a table and the tables that inherit from it, each
// followed by its own, and each once.
func (s *Schema) Children(of *Table) (children []*Table) {
	var add func(parent *Table)
	add = func(parent *Table) {
		for _, t := range s.Tables {
			if slices.Contains(t.Parents, parent.ID) && !slices.Contains(children, t) {
				children = append(children, t)
				add(t)
			}
		}
	}
	add(of)
	return children
}
