// Package probe proves faults of a running HTTP service from outside, with its OpenAPI
// document and two principals.
//
// It cannot see an operation for which it finds no request that succeeds, a change that
// no read of the owner shows, an object whose sharing is meant but not declared, and a
// race that needs more than twenty requests at once. It sends no multipart bodies, knows no
// GraphQL, and says nothing about transport, headers of browsers and rate limits. Its ledger
// lists what it could not reach.
//
// It works on services of any language. Each rule judges effects: what the owner reads
// before and after, whatever status an answer had. A run writes to the service, to its own
// principals' data, and deletes what it made as far as the service can. It sends nothing to
// another machine unless that is allowed by name.
package probe
