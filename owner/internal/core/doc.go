// Package core builds every statement of package owner, and holds the declarations of
// tables and views. It has no type parameters: package owner is a typed facade over it,
// which converts Go values and returns rows of their type. A row is passed by its address,
// as an unsafe.Pointer to a struct of the table's type.
//
// A statement begins with the owner: [Statement] takes the values of an [Identity] as its
// first arguments, and [Table] writes the owner's predicate for each reference to a table.
// Everything else is ANDed to that.
package core
