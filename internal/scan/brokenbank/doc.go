// Package brokenbank is the bank of examples/bank with more operations, an OpenAPI
// document, and faults that can be switched on one by one. Package probe must find each
// of them, and nothing in the bank without them.
package brokenbank
