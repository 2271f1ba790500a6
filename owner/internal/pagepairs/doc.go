// Package pagepairs tests that pages contain each row once, for each type of column
// with the Go types that it may be read into. It contains only tests. They
// instantiate package owner for some 75 row types, which takes the compiler minutes,
// so they are separate from its other tests.
package pagepairs
