// Package gin stands in for the real one.
package gin

import "context"

type H map[string]any

type Context struct{ context.Context }

func (*Context) JSON(code int, obj any)                        {}
func (*Context) String(code int, format string, values ...any) {}
func (*Context) Param(name string) string                      { return "" }
func (*Context) Query(name string) string                      { return "" }
func (*Context) ShouldBindJSON(obj any) error                  { return nil }
