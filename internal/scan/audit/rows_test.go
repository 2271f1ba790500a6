package audit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

const faulty = `create table users (id bigint primary key, email text);
create table orders (id bigint primary key);
create table accounts (id bigint primary key, user_id bigint references users, balance bigint not null);
create table notes (id bigint primary key, user_id bigint not null, order_id bigint);
create table cards (id bigint primary key, card_number text);
create table sessions (id bigint primary key, token text);
create table counters (id int4 primary key)`

const faultyRows = `insert into users values (1, 'someone@example.com'), (2, 'someone@example.com'), (3, 'c'), (4, null), (5, null);
insert into accounts values (1, 1, 5), (2, null, -3), (3, null, -4);
insert into notes values (1, 1, 77), (2, 99, null);
insert into cards values (1, '4111 1111 1111 1111'), (2, 'none');
insert into sessions values (1, 'a'), (2, 'b');
insert into counters values (1), (2000000000)`

// Rows prove a finding, by their number alone.
func TestRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, faulty)
		opts := audit.Options{TestDatabase: true, Rows: true}
		findings, _ := runAudit(t, db, opts)
		for _, f := range findings {
			require.NotEqual(t, finding.Proved, f.Confidence, f.Message)
		}
		run(t, db.Pool, faultyRows)
		findings, _ = runAudit(t, db, opts)
		type result struct {
			confidence finding.Confidence
			severity   finding.Severity
			count      string
		}
		got := map[string]result{}
		for _, f := range findings {
			r := result{confidence: f.Confidence, severity: f.Severity}
			for _, e := range f.Evidence {
				require.NotContains(t, e.Text, "someone")
				require.NotContains(t, e.Text, "4111")
				if e.Kind == finding.Count {
					r.count = e.Text
				}
			}
			require.NotContains(t, f.Message, "someone")
			got[f.Rule+" "+f.Place.Object[len(db.Schema)+1:]] = r
		}
		for object, want := range map[string]result{
			"RKA01 accounts.user_id":  {finding.Proved, finding.High, "2 rows belong to nobody"},
			"RKA02 notes.user_id":     {finding.Proved, finding.High, "1 rows name an owner who does not exist"},
			"RKA06 users.email":       {finding.Proved, finding.High, "1 logins are there twice"},
			"RKA06 sessions.token":    {finding.Strong, finding.High, ""},
			"RKA08 accounts.balance":  {finding.Proved, finding.High, "2 rows are below zero; mend them before VALIDATE CONSTRAINT"},
			"RKA10 notes.order_id":    {finding.Proved, finding.High, "1 rows refer to one that does not exist"},
			"RKA15 counters.id":       {finding.Proved, finding.High, ""},
			"RKA18 cards.card_number": {finding.Proved, finding.Critical, "1 values look like card numbers"},
		} {
			require.Equal(t, want, got[object], object)
		}
	})
}

// A count that takes too long says so and ends no other.
func TestRowsInTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it waits for no lock to read")
		}
		run(t, db.Pool, faulty+";\n"+faultyRows)
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
		_, err = tx.Exec(t.Context(), "lock table accounts in access exclusive mode")
		require.NoError(t, err)
		findings, _ := runAudit(t, db, audit.Options{TestDatabase: true, Rows: true, Timeout: 5 * time.Second})
		seen := 0
		for _, f := range findings {
			switch f.Rule + f.Place.Object[len(db.Schema):] {
			case "RKA08.accounts.balance":
				seen++
				require.Equal(t, finding.Strong, f.Confidence)
				require.Equal(t, []finding.Evidence{{Kind: finding.Note, Text: "The rows could not be counted in time, or may not be read."}}, f.Evidence)
			case "RKA06.users.email":
				seen++
				require.Equal(t, finding.Proved, f.Confidence)
			}
		}
		require.Equal(t, 2, seen)
	})
}
