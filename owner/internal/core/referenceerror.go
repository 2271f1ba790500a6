package core

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/internal/strictjson"
)

// referenceError is ErrReference with the foreign key, if it is known.
type referenceError struct {
	table *Table
	of    *fkCheck
}

func (e *referenceError) Error() string {
	return fmt.Sprintf("%v (table %s)", ErrReference, e.table.Name)
}

func (e *referenceError) Unwrap() error { return ErrReference }

// Is makes a rule by errs.Is(ErrReference) in a catalog match before the rule of the
// foreign key.
func (e *referenceError) Is(target error) bool { return target == ErrReference }

func (e *referenceError) Kind() kind.Kind { return kind.ReferenceNotFound }

// Fields returns the members of the row's JSON that point at nothing.
func (e *referenceError) Fields() []kind.FieldError {
	if e.of == nil {
		return nil
	}
	var fields []kind.FieldError
	for _, c := range e.of.from {
		if c.JSON != "" {
			fields = append(fields, kind.FieldError{Pointer: strictjson.Pointer(c.JSON), Code: kind.ReferenceNotFound.Code(), Detail: kind.ReferenceNotFound.Error()})
		}
	}
	return fields
}

// ForeignKey returns the foreign key to package errs, whose catalog may have a rule
// for it.
func (e *referenceError) ForeignKey() (pgerr.ForeignKey, bool) {
	if e.of == nil {
		return pgerr.ForeignKey{}, false
	}
	names := func(columns []*Column) (out []string) {
		for _, c := range columns {
			out = append(out, c.Name)
		}
		return out
	}
	return pgerr.ForeignKey{Table: e.table.BaseName(), Columns: names(e.of.from), Owners: names(e.table.Owners), Parent: e.of.parent.BaseName()}, true
}

// noReference returns the error for a foreign key, or for an unknown one if of is
// nil.
func (t *Table) noReference(of *fkCheck) error { return &referenceError{t, of} }

// refused returns the error for the case that one of the foreign keys points at no
// row of the owner's. If there are several, one more statement finds out which.
func (t *Table) refused(ctx context.Context, db DB, id Identity, refs []fkCheck) error {
	if len(refs) == 1 {
		return t.noReference(&refs[0])
	}
	if err := t.missingReference(ctx, db, id, refs); err != nil {
		return err
	}
	return t.noReference(nil) // the row appeared in the meantime
}

// missingReference returns a foreign key that points at no row of the owner's, or nil
// if there is none.
func (t *Table) missingReference(ctx context.Context, db DB, id Identity, refs []fkCheck) error {
	used := 0
	for _, r := range refs {
		used = max(used, len(r.parent.OwnerTypes))
	}
	id.N = min(id.N, used) // an unused argument has no type
	s := newStatement(id)
	s.text("select ")
	found := make([]bool, len(refs))
	for i, r := range refs {
		if i > 0 {
			s.text(", ")
		}
		s.checkReference(r.parent, r.args, 1)
	}
	if err := s.scalars(ctx, db, pointersTo(found)...); err != nil {
		return t.failed("select from", err)
	}
	if i := slices.Index(found, false); i >= 0 {
		return t.noReference(&refs[i])
	}
	return nil
}

func pointersTo(values []bool) []any {
	out := make([]any, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

// referenceTo returns the only foreign key to a table, or nil.
func (t *Table) referenceTo(parent *Table) *fkCheck {
	var found *fkCheck
	if t.Through == parent {
		found = &fkCheck{parent: parent, from: t.Parent}
	}
	for _, r := range t.References {
		if r.Parent != parent {
			continue
		}
		if found != nil {
			return nil
		}
		found = &fkCheck{parent: parent, from: r.From}
	}
	return found
}
