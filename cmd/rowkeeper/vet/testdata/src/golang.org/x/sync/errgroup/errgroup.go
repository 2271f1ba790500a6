// Package errgroup stands in for the real one.
package errgroup

type Group struct{}

func (*Group) Go(fn func() error) {}
func (*Group) Wait() error        { return nil }
