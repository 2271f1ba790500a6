// Package admission decides which transactions wait for which others before they
// begin, so that transactions that want the same rows do not all run at once and lose.
// It knows neither databases nor connections.
//
// # Who waits for whom
//
// A [Request] names what its attempt begins with by a [Fingerprint], the key. There is
// no queue until an attempt loses a conflict: [Queues.Lost] then makes one for its key.
// An attempt whose key has a queue gets a [Permit] from it. Queues of the same rows
// merge: if a loser also sent a statement that is the key of another queue, they are
// one from then on. If the first statements of a text never recur, as in a look-up by
// request id, they do not tell which transactions contend. The other statements that
// the losers sent do: they become keys, and the statistics of the text tell where
// transactions that begin so end up (see prefix).
//
// # How many at a time
//
// A queue admits as many transactions at a time as do not conflict, a limit that it
// learns (see limit). With a limit of one, a row that everybody wants is given to one
// transaction after the other. A queue whose transactions do not conflict opens within
// a moment and then goes.
//
// Waiting permits are granted in the order in which they joined, those of calls that
// have lost first. A call that has lost three times runs alone. A permit that lasts
// much longer than usual is bypassed: its transaction may be waiting for the head of
// the queue itself.
//
// # Bounds
//
// A pool has at most 1,024 queues and keys, and statistics of 64 texts. Nothing runs in
// the background except a timer for each queue in which a request waits.
package admission
