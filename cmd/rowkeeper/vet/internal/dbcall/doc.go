// Package dbcall finds what a Go package does with its database: the statements, the
// transactions and the functions that run others in them.
//
// It does not see statements behind an interface that hides the SQL, those of an ORM's
// model, those made by reflection, and those whose text is not a constant. A value is
// followed through local variables, fields, closures and helper functions whose result
// holds it; beyond that it is unknown, and no rule may conclude anything from it.
//
// A fact says how a function uses its parameters, so that callers in other packages see
// through it.
package dbcall
