package ownertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
)

type kind int

const (
	reading kind = iota
	counting
	writing
)

// probe is one operation to try.
type probe struct {
	name    string
	kind    kind
	run     func(ctx context.Context, tx pgx.Tx) (any, error)
	refused bool   // it must not succeed, with or without the stranger's rows
	index   string // a unique index without the owner, whose conflict is reported as ErrNotFound
	own     string // it is on a row of one's own; the probe with this name is the same on the stranger's
}

type attack struct {
	subject string
	tells   []string // the unique constraints that may reveal a row
	probe   probe
}

type outcome struct {
	value   any
	err     error
	changed string // the row of the stranger that changed, or ""
}

// The classes of findings.
const (
	seen             = "a row of the stranger's is seen"
	counted          = "a row of the stranger's is counted"
	changed          = "a row of the stranger's is changed, deleted or made"
	distinguishable  = "a row of the stranger's can be told from one that does not exist"
	tellsByUnique    = "a unique constraint tells what the stranger has; if it may, give its name, or ownertest.PrimaryKey, to ownertest.Table as another argument"
	tellsByReference = "a foreign key can point at a row of the stranger's; declare it with owner.References, and make the database's begin with the owner"
	notRefused       = "what is the stranger's is not refused"
	ownMissing       = "a row of one's own is not found, so that nothing is proved"
)

type finding struct{ subject, class, operation, detail string }

// judge compares the outcomes of the attack with and without the stranger's rows.
func (a attack) judge(with, without outcome) (finding, bool) {
	f := finding{subject: a.subject, operation: a.probe.name}
	found := func(class, format string, args ...any) (finding, bool) {
		f.class, f.detail = class, fmt.Sprintf(format, args...)
		return f, true
	}
	for _, o := range []outcome{with, without} {
		switch {
		case o.changed != "":
			return found(changed, "%s", o.changed)
		case a.probe.refused && o.err == nil:
			return found(notRefused, "it gave %s", o)
		}
	}
	if a.probe.own != "" && errors.Is(with.err, owner.ErrNotFound) {
		return found(ownMissing, "%v", with.err)
	}
	sameError := errorText(with.err) == errorText(without.err)
	if sameError && (with.err != nil || same(with.value, without.value)) {
		return f, false
	}
	detail := fmt.Sprintf("with the stranger's rows it gave %s, without them %s", with, without)
	var pe *pgconn.PgError
	switch {
	case errors.As(with.err, &pe) && pe.Code == "23505":
		if slices.Contains(a.tells, pe.ConstraintName) {
			return f, false
		}
		return found(tellsByUnique, "constraint %q: %s", pe.ConstraintName, detail)
	case a.probe.index != "" && errors.Is(with.err, owner.ErrNotFound) && without.err == nil:
		if slices.Contains(a.tells, a.probe.index) {
			return f, false
		}
		return found(tellsByUnique, "constraint %q: %s", a.probe.index, detail)
	case a.probe.kind == writing && with.err == nil && pointsNowhere(without.err):
		return found(tellsByReference, "%s", detail)
	case a.probe.kind == writing || with.err != nil:
		return found(distinguishable, "%s", detail)
	case a.probe.kind == counting:
		return found(counted, "%s", detail)
	}
	return found(seen, "%s", detail)
}

func pointsNowhere(err error) bool {
	var pe *pgconn.PgError
	return errors.Is(err, owner.ErrReference) || errors.As(err, &pe) && pe.Code == "23503"
}

// same compares results, regardless of the order of rows.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	v, w := reflect.ValueOf(a), reflect.ValueOf(b)
	if !v.IsValid() || !w.IsValid() || v.Kind() != reflect.Slice || v.Type() != w.Type() || v.Len() != w.Len() {
		return false
	}
	taken := make([]bool, w.Len())
next:
	for i := range v.Len() {
		for j := range w.Len() {
			if !taken[j] && reflect.DeepEqual(v.Index(i).Interface(), w.Index(j).Interface()) {
				taken[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

// errorText returns everything that a caller can see of an error.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for e := err; e != nil; e = errors.Unwrap(e) {
		text += fmt.Sprintf("\n%T", e)
		if pe, ok := e.(*pgconn.PgError); ok {
			text += "\n" + strings.Join([]string{pe.Code, pe.Message, pe.Detail, pe.ConstraintName, pe.TableName, pe.ColumnName}, "\n")
		}
	}
	return text
}

func (o outcome) String() string {
	if o.err != nil {
		return fmt.Sprintf("the error %q", o.err)
	}
	if v := reflect.ValueOf(o.value); v.IsValid() && v.Kind() == reflect.Slice {
		return fmt.Sprintf("%d rows", v.Len())
	}
	if v := reflect.ValueOf(o.value); v.IsValid() && v.Kind() == reflect.Pointer && !v.IsNil() {
		return fmt.Sprintf("%+v", v.Elem())
	}
	if o.value == nil {
		return "success"
	}
	return fmt.Sprintf("%+v", o.value)
}
