package txn

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// opening is BEGIN and the settings after it, which travel with the first statement.
type opening []wire.Statement

var beginSerializable = opening{{Kind: wire.Begin, SQL: "begin isolation level serializable"}}

func (c *config) begin() opening {
	sql, option := "begin isolation level "+string(c.isolation), ""
	if c.priority != "" {
		sql, option = sql+" priority "+c.priority, "Priority"
	}
	if c.readOnly {
		sql += " read only"
	}
	if c.asOf != "" {
		sql, option = sql+" as of system time "+c.asOf, "AsOf"
	}
	first := opening{{Kind: wire.Begin, SQL: sql}}
	if option != "" {
		first[0].About = fromOption(option)
	}
	for _, s := range append(c.timeouts.settings(), c.settings...) {
		first = append(first, s.statement())
	}
	return first
}

func (c *config) txOptions() pgx.TxOptions {
	if c.priority != "" || c.asOf != "" {
		return pgx.TxOptions{IsoLevel: c.isolation, BeginQuery: c.first[0].SQL}
	}
	o := pgx.TxOptions{IsoLevel: c.isolation}
	if c.readOnly {
		o.AccessMode = pgx.ReadOnly
	}
	return o
}

// ReadOnly makes the transaction READ ONLY: a statement that writes fails with SQLSTATE
// 25006. If the function returns that error, the call wraps it, with the name of the call
// and the kind errs.Internal (HTTP 500), as the write fails on every server. Without
// ReadOnly, a 25006 means that the server is read-only, such as a standby, and package
// errs answers with 503. The default is the server's, which is READ WRITE unless
// default_transaction_read_only says otherwise.
//
// As nothing is written, a lost answer to COMMIT does not make the outcome unknown: the
// function runs again. So the function must not undo the option with SET TRANSACTION
// READ WRITE.
//
// A hot standby of PostgreSQL has no SERIALIZABLE: use ReadOnly with
// Isolation(pgx.RepeatableRead) there.
func ReadOnly() Option {
	return optionFunc{"ReadOnly", func(c *config) error {
		c.readOnly = true
		return nil
	}}
}

// AsOf makes CockroachDB read the data as of time t, which must lie in the past and
// within the table's garbage collection TTL. Such a transaction is READ ONLY, meets no
// conflicts, and may be answered by the nearest replica if t is some seconds ago;
// [FollowerRead] chooses that time. The default is the present. On PostgreSQL, which
// lacks the feature, the call fails.
//
// Source: CockroachDB, "AS OF SYSTEM TIME".
func AsOf(t time.Time) Option {
	return optionFunc{"AsOf", func(c *config) error {
		if t.IsZero() {
			return errors.New("the time is zero")
		}
		return c.setAsOf("'" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'")
	}}
}

// FollowerRead is [AsOf] with the latest time that every replica can answer for,
// follower_read_timestamp(), about 4 seconds ago.
//
// Source: CockroachDB, "Follower Reads".
func FollowerRead() Option {
	return optionFunc{"FollowerRead", func(c *config) error { return c.setAsOf("follower_read_timestamp()") }}
}

func (c *config) setAsOf(expression string) error {
	c.asOf, c.readOnly = expression, true
	return nil
}

// LowPriority makes a CockroachDB transaction give way in conflicts with those of normal
// priority, the default. On PostgreSQL, which has no priorities, the call fails.
//
// Source: CockroachDB, "Transactions", "Transaction priorities".
func LowPriority() Option { return priority("LowPriority", "low") }

// HighPriority makes transactions of lower priority give way in conflicts with this
// one; see [LowPriority]. CockroachDB's documentation advises against it except for
// short transactions that must succeed.
func HighPriority() Option { return priority("HighPriority", "high") }

func priority(option, level string) Option {
	return optionFunc{option, func(c *config) error {
		c.priority = level
		return nil
	}}
}

// Timeouts is an option that sets time limits in the server. A zero field keeps the
// server's own limit. Each must be a whole number of milliseconds.
//
// A statement or transaction that exceeds a limit fails with SQLSTATE 57014 (Statement,
// and Transaction on CockroachDB), 55P03 (Lock) or 25P04 (Transaction on PostgreSQL,
// which closes the connection). It does not run again, as a timeout is not transient.
// On CockroachDB a timeout that ends COMMIT itself makes the outcome unknown.
//
// The limits are sent as SET LOCAL, so they apply to this transaction only and take no
// round trip. A server that does not support a limit, such as PostgreSQL before 17 for
// Transaction and CockroachDB before v21.2 for all, makes the call fail.
type Timeouts struct {
	Statement   time.Duration // for each statement
	Lock        time.Duration // for each wait for a lock
	Transaction time.Duration // for the whole attempt, from its first statement
}

func (t Timeouts) apply(c *config) error {
	return optionFunc{"Timeouts", func(c *config) error {
		if t == (Timeouts{}) {
			return errors.New("all are zero")
		}
		for _, d := range []time.Duration{t.Statement, t.Lock, t.Transaction} {
			if d < 0 || d%time.Millisecond != 0 {
				return fmt.Errorf("%v is not a positive whole number of milliseconds", d)
			}
		}
		c.timeouts = t
		return nil
	}}.apply(c)
}

func (t Timeouts) settings() []setting {
	var all []setting
	add := func(name string, d time.Duration) {
		if d > 0 {
			all = append(all, setting{"Timeouts", name, strconv.FormatInt(d.Milliseconds(), 10) + "ms"})
		}
	}
	add("statement_timeout", t.Statement)
	add("lock_timeout", t.Lock)
	add("transaction_timeout", t.Transaction)
	return all
}

// Setting sets a configuration parameter of the server for this transaction:
//
//	txn.Setting("app.user_id", "42")
//
// It is sent as SET LOCAL with BEGIN, so it takes no round trip, and is undone when the
// transaction ends. The name is one or more identifiers separated by dots; the value is
// quoted. The option may be repeated; for equal names the later one wins. A parameter
// that the server does not know, or SET LOCAL on CockroachDB before v21.2, makes the
// call fail.
//
// The value of search_path and temp_tablespaces is a list of names separated by commas,
// as in SET LOCAL search_path = tenant, public. A name with capitals, spaces or commas
// must be in double quotes, and so must a name from outside, or it could add other
// names:
//
//	txn.Setting("search_path", pgx.Identifier{tenant}.Sanitize()+", public")
func Setting(name, value string) Option {
	return optionFunc{"Setting", func(c *config) error {
		if !isParameter(name) {
			return fmt.Errorf("%q is not the name of a parameter: use letters, digits and underscores, with dots between the parts", name)
		}
		if strings.ContainsRune(value, 0) {
			return fmt.Errorf("the value of %s has a zero byte in it, which no text of the server's can have", name)
		}
		if isNameList(name) {
			if _, err := splitNames(value); err != nil {
				return fmt.Errorf("the value of %s is not a list of names: %w", name, err)
			}
		}
		c.settings = append(c.settings, setting{"Setting", name, value})
		return nil
	}}
}

func isParameter(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		for i, r := range part {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
			case r >= '0' && r <= '9' && i > 0:
			default:
				return false
			}
		}
		if part == "" || len(part) > 63 {
			return false
		}
	}
	return true
}

type setting struct{ option, name, value string }

func (s setting) statement() wire.Statement {
	parts := strings.Split(s.name, ".")
	literals := quoteLiteral(s.value)
	if isNameList(s.name) {
		names, _ := splitNames(s.value) // it was checked to be a list
		for i, name := range names {
			names[i] = quoteLiteral(name)
		}
		literals = strings.Join(names, ", ")
	}
	return wire.Statement{
		Kind:  wire.Set,
		SQL:   "set local " + pgx.Identifier(parts).Sanitize() + " = " + literals,
		About: fromOption(s.option + " " + s.name),
	}
}

// quoteLiteral quotes text so that it reads the same whatever
// standard_conforming_strings is.
func quoteLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// fromOption is the option that a statement comes from.
type fromOption string

// settingError names the option that the server refused.
func settingError(name string, option any, err error) error {
	if pe := pgerr.ServerError(err); pe != nil && (pe.Code == pgerr.NotSupported || pe.Code == pgerr.UnknownSetting || pe.Code == pgerr.Syntax) {
		return fmt.Errorf("%s: %v: this server cannot do it: %w", prefix(name), option, err)
	}
	return fmt.Errorf("%s: %v: %w", prefix(name), option, err)
}
