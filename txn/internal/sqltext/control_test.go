package sqltext

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestControl(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"":                                   "",
		"commit":                             "COMMIT",
		" \t\f\v\nCommit ;":                  "COMMIT",
		";;commit":                           "COMMIT",
		"commit--x":                          "COMMIT",
		"commit/**/prepared 'x'":             "COMMIT",
		"end work":                           "END",
		"abort":                              "ABORT",
		"begin isolation level serializable": "BEGIN",
		"start transaction":                  "START TRANSACTION",
		"start/**/transaction":               "START TRANSACTION",
		"prepare transaction 'x'":            "PREPARE TRANSACTION",
		"rollback prepared 'x'":              "ROLLBACK",
		"rollback -- to savepoint a":         "ROLLBACK",
		"rollback /* to a */ and chain":      "ROLLBACK AND CHAIN",
		"rollback transaction and no chain":  "ROLLBACK",
		"rollback to savepoint cockroach_restart": "ROLLBACK TO SAVEPOINT cockroach_restart",
		`rollback work to "cockroach_restart"`:    "ROLLBACK TO SAVEPOINT cockroach_restart",
		"release savepoint Cockroach_Restart":     "RELEASE SAVEPOINT Cockroach_Restart",
		"show commit timestamp":                   "SHOW COMMIT TIMESTAMP",
		"select 1;commit":                         "COMMIT",
		"select 'a''; x'; commit":                 "COMMIT",
		`select e'\'; x'; commit`:                 "COMMIT",
		`select '\'; commit; --'`:                 "COMMIT", // with standard_conforming_strings
		`select 'a\'';commit`:                     "COMMIT", // without
		"select e'a'\n'\\'; x'; commit":           "COMMIT",
		`select "a""; x"; commit`:                 "COMMIT",
		"select $$;x$$; commit":                   "COMMIT",
		"select $a$ $$;x$b$ $a$; commit":          "COMMIT",
		"select a$b$; commit; select c$b$":        "COMMIT",
		"select $1$2; commit":                     "COMMIT",
		"select 1$$;x$$; commit":                  "COMMIT",
		"select 5 --;x\r; commit":                 "COMMIT",
		"/* /* */ ; x */ commit":                  "COMMIT",
		"create function f() returns int begin atomic select 1; end; commit":                         "COMMIT",
		"create or replace procedure f() begin atomic select case when true then 1 end; end; commit": "COMMIT",
		"create function begin() returns int as $$ $$ language sql; commit":                          "COMMIT",
		"create function f() returns int as 'begin; end' language plpgsql; commit":                   "COMMIT",
		"create rule r as on insert to t do (select 1; select 2); commit":                            "COMMIT",

		"committed":                     "",
		"commit-order":                  "",
		"rollback/order":                "",
		"end(x)":                        "",
		"start":                         "",
		"prepare p as select 1":         "",
		"rollback to a":                 "",
		"rollback work to savepoint a":  "",
		"release savepoint a":           "",
		"release a":                     "",
		"savepoint cockroach_restart":   "",
		"show commit":                   "",
		"set transaction read only":     "",
		"select 'a; commit'":            "",
		`select e'\'; commit; '`:        "",
		"select e'a'\n'\\'; commit'":    "",
		`select b'\'; commit; '`:        "",
		`select "; commit"`:             "",
		"select $$; commit$$":           "",
		"select $a$; $$; commit $a$":    "",
		"select $é$; commit $é$":        "",
		"select 1 -- ; commit\n":        "",
		"select 1 /* /* */ ; commit */": "",
		"select 1 /* ; commit":          "",
		"select '; commit":              "",
		"select (1; commit":             "",
		"create function f() returns int begin atomic select 1; end": "",
		"create rule r as on insert to t do (select 1; commit)":      "",
		`select U&'\0041'; select 1`:                                 "",
	} {
		require.Equal(t, want, Control(sql), "%q", sql)
	}
}

// Random combinations of SQL tokens: if the server says that a text ended the
// transaction, control saw that, and if the server executed the text within the
// transaction, control saw nothing else.
func TestControlAgreesWithTheServer(t *testing.T) {
	pieces := []string{
		"'", "'", "''", `"`, `""`, `\`, "$$", "$a$", "$1", "e'", "E'", "b'", "x'", "n'", "u&'", "--", "/*", "*/", "(", ")", "\n", "\r", " ", " ", ";", ";", ";",
		"commit", "rollback", "begin", "end", "abort", "and chain", "to a", "savepoint a", "release a", "start transaction", "work", "atomic",
		"select", "1", "a", "as", "x", "é", "select 1", "select 'a'", "select $$a$$", "create function", "case", "when true then 1", "commit;", "; commit", ";rollback;",
	}
	// These are valid one by one, so that more of the texts are executed.
	statements := []string{
		"commit", "rollback", "select 1", "select 'it''s; '", `select e'\'; commit; '`, `select 'a\'`, `select '\'; commit; --'`, "select $$;commit;$$", "select $a$ $$; $a$",
		"/* ; /* commit */ ; */", "-- ; commit", "savepoint a", `select 1 as "a;""commit"`, "end", "abort", "begin", "/* /* */ */ commit", "--;\nrollback", "select (1)", "",
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		conn, err := pgx.ConnectConfig(t.Context(), db.Config().ConnConfig)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		ended, seen := 0, 0
		for seed := range uint64(2000) {
			random := rand.New(rand.NewPCG(seed, 1))
			var text strings.Builder
			if seed%2 == 0 {
				for range 1 + random.IntN(12) {
					text.WriteString(pieces[random.IntN(len(pieces))])
					text.WriteString([]string{"", " "}[random.IntN(2)])
				}
			} else {
				for range 1 + random.IntN(4) {
					text.WriteString(statements[random.IntN(len(statements))])
					text.WriteString([]string{";", "\n;", ";"}[random.IntN(3)])
				}
			}
			sql := text.String()
			conforming := db.Cockroach() || random.IntN(2) == 0
			found := (&lexer{text: sql, escapes: !conforming}).control(true)
			ends, carriedOut := endsByServer(t, conn, sql, conforming)
			switch {
			case ends:
				ended++
				require.NotEmpty(t, found, "seed %d: %q", seed, sql)
				require.NotEmpty(t, Control(sql), "seed %d: %q", seed, sql)
			case carriedOut && found != "BEGIN" && found != "START TRANSACTION": // of which it warns
				require.Empty(t, found, "seed %d: %q", seed, sql)
			}
			if found != "" {
				seen++
			}
		}
		require.Greater(t, ended, 300)
		require.Less(t, seen, 1500)
	})
}

// endsByServer sends a text in a transaction, and reports whether the transaction is
// over afterwards, and whether all of the text was executed.
func endsByServer(t *testing.T, conn *pgx.Conn, sql string, conforming bool) (ends, carriedOut bool) {
	t.Helper()
	exec := func(sql string) error {
		_, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
		return err
	}
	first := "begin; savepoint marker"
	if conn.PgConn().ParameterStatus("crdb_version") == "" {
		first = fmt.Sprintf("set standard_conforming_strings = %t; ", conforming) + first
	}
	require.NoError(t, exec(first))
	err := exec(sql)
	ends = conn.PgConn().TxStatus() == byte('I') || exec("rollback to savepoint marker") != nil
	if conn.PgConn().TxStatus() != byte('I') {
		require.NoError(t, exec("rollback"))
	}
	return ends, err == nil
}
