package txn

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/jackc/pgx/v5"
)

// copySource detects whether a source of rows was read. pgx reads it in a goroutine of
// its own, which has ended when CopyFrom returns; a panic there would end the process.
type copySource struct {
	pgx.CopyFromSource
	read     bool
	panicked any
}

func (s *copySource) Next() (more bool) {
	s.read = true
	defer s.recover()
	return s.CopyFromSource.Next()
}

func (s *copySource) Values() (values []any, err error) {
	err = errSourcePanicked // unless the source returns
	defer s.recover()
	return s.CopyFromSource.Values()
}

func (s *copySource) Err() (err error) {
	if s.panicked != nil {
		return errSourcePanicked
	}
	err = errSourcePanicked
	defer s.recover()
	return s.CopyFromSource.Err()
}

func (s *copySource) recover() {
	if p := recover(); p != nil {
		s.panicked = p
	}
}

var errSourcePanicked = errors.New("txn: CopyFrom: the source panicked")

// checkSource stops an attempt that copies from a source which an earlier attempt has
// read: the call would commit, and its caller would miss rows.
func (a *attempt) checkSource(src pgx.CopyFromSource) error {
	if a.call == nil { // it is unknown who runs the function again
		return nil
	}
	if err := a.call.sources.check(src, a.number); err != nil {
		return a.stop(fmt.Errorf("%s: %w", prefix(a.name()), err))
	}
	return nil
}

func (a *attempt) copyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	watched := &copySource{CopyFromSource: src}
	defer func() {
		if watched.read && a.call != nil {
			a.call.sources.add(src, a.number)
		}
	}()
	n, err := a.sender().CopyFrom(ctx, table, columns, watched)
	a.observe("", "", err)
	if watched.panicked != nil {
		panic(watched.panicked)
	}
	return n, err
}

// sources holds the sources that CopyFrom has read in a call, with the attempt that
// first did so.
type sources struct {
	mu   sync.Mutex
	read map[any]int
}

// check refuses a source that an earlier attempt has read.
func (s *sources) check(src pgx.CopyFromSource, attempt int) error {
	id := identityOf(src)
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, found := s.read[id]; id != nil && found && before != attempt {
		return fmt.Errorf("CopyFrom: attempt %d has read from this source, a %T, so it has not all of its rows any more: make it inside the function", before, src)
	}
	return nil
}

func (s *sources) add(src pgx.CopyFromSource, attempt int) {
	id := identityOf(src)
	if id == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = make(map[any]int)
	}
	if _, found := s.read[id]; !found {
		s.read[id] = attempt
	}
}

// identityOf returns what identifies a source from one attempt to the next, or nil if
// nothing does: a value that equals others because it contains no pointer, or one that
// cannot be compared.
func identityOf(src pgx.CopyFromSource) any {
	v := reflect.ValueOf(src)
	switch {
	case !v.IsValid():
		return nil
	case v.Kind() == reflect.Map:
		return v.UnsafePointer()
	case !v.Comparable() || !points(v):
		return nil
	}
	return src
}

// points reports whether the values by which v is compared include a non-nil pointer.
func points(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && v.Type().Elem().Size() > 0 // pointers to zero-size values may be equal
	case reflect.Chan, reflect.UnsafePointer:
		return !v.IsNil()
	case reflect.Interface:
		return points(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if points(v.Field(i)) {
				return true
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			if points(v.Index(i)) {
				return true
			}
		}
	}
	return false
}
