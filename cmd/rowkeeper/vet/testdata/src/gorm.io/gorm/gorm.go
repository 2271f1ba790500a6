// Package gorm stands in for the real one.
package gorm

type DB struct{ Error error }

func (*DB) Begin() *DB                              { return nil }
func (*DB) Commit() *DB                             { return nil }
func (*DB) Rollback() *DB                           { return nil }
func (*DB) Exec(sql string, values ...any) *DB      { return nil }
func (*DB) Raw(sql string, values ...any) *DB       { return nil }
func (*DB) Scan(dest any) *DB                       { return nil }
func (*DB) Create(value any) *DB                    { return nil }
func (*DB) Save(value any) *DB                      { return nil }
func (*DB) Transaction(fn func(tx *DB) error) error { return nil }
