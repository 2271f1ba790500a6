// Package pagepairs tests that pages have each row once, for each type of column
// with the Go types that it may be read into. It has tests only. They make package
// owner for some 75 row types, which takes the compiler minutes, so they are apart
// from its other tests.
package pagepairs
