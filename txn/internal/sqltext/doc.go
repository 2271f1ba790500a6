// Package sqltext reads SQL text as far as the transaction needs to: where statements
// end, and what they do to the transaction or to the statements after them.
package sqltext
