package faultnet_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// Not parallel, so that no other proxy runs meanwhile.
func TestCloseLeavesNothing(t *testing.T) {
	db := dbtest.First(t)
	p := start(t, db)
	idle, held, silent, orphan := connect(t, p, db), connect(t, p, db), connect(t, p, db), connect(t, p, db)
	require.NoError(t, idle.Ping(t.Context()))
	p.Cut(4, faultnet.ResetClient)
	require.Error(t, orphan.Ping(t.Context()))
	for _, test := range []struct {
		conn   *pgx.Conn
		action faultnet.Action
	}{{held, faultnet.Hold(nil)}, {silent, faultnet.Silence()}} {
		hook, seen := faultnet.On(faultnet.Executes("commit"), test.action)
		p.SetHook(hook)
		query(t, test.conn, "commit")
		await(t, seen)
	}
	closed := make(chan struct{})
	go func() { // two at once
		defer close(closed)
		p.Close()
	}()
	p.Close()
	await(t, closed)
	p.Close()
	for _, conn := range []*pgx.Conn{idle, held, silent} {
		require.Error(t, conn.Ping(t.Context()))
	}
	_, err := net.Dial("tcp", p.Addr())
	require.Error(t, err)
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	require.NotContains(t, string(stacks), "internal/faultnet.")
}

func TestCancelRequestPasses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		p.LoseCancels(false)
		conn := connect(t, p, db)
		if db.Cockroach() {
			version := regexp.MustCompile(` v(\d+)\.`).FindStringSubmatch(conn.PgConn().ParameterStatus("crdb_version"))
			require.NotNil(t, version)
			if major, _ := strconv.Atoi(version[1]); major < 22 {
				t.Skip("this server does not know requests to cancel")
			}
		}
		hook, seen := faultnet.On(faultnet.Executes("select pg_sleep(600)"), faultnet.Pass())
		p.SetHook(hook)
		ended := make(chan error, 1)
		go func() {
			_, err := conn.Exec(t.Context(), "select pg_sleep(600)")
			ended <- err
		}()
		await(t, seen)
		p.LoseCancels(true)
		for range 10 {
			require.NoError(t, conn.PgConn().CancelRequest(t.Context()))
		}
		require.Empty(t, ended)
		p.LoseCancels(false)
		// A server ignores a cancel request that comes before the statement has
		// begun.
		var err error
		for err == nil {
			require.NoError(t, conn.PgConn().CancelRequest(t.Context()))
			select {
			case err = <-ended:
			default:
			}
		}
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "57014", pgErr.Code)
		require.EqualValues(t, 1, p.RoundTrips())
		connect(t, p, db)
		require.Equal(t, 2, p.Sessions(), "requests to cancel are not counted")
	})
}

func TestServerOutOfReach(t *testing.T) {
	p, err := faultnet.New("unix", t.TempDir()+"/none")
	require.NoError(t, err)
	t.Cleanup(p.Close)
	c, err := pgx.ParseConfig("postgres://somebody@192.0.2.1/db?sslmode=prefer")
	require.NoError(t, err)
	p.Rewrite(c)
	_, err = pgx.ConnectConfig(t.Context(), c)
	require.Error(t, err)
	require.Zero(t, p.Sessions())
}

// A client may ask for encryption on the same connection first.
func TestRefusedEncryption(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		types := make(chan faultnet.Message, 1000)
		p.SetHook(func(m faultnet.Message) faultnet.Action {
			types <- m
			return faultnet.Pass()
		})
		c := config(p, db)
		c.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
			codes := []uint32{80877104, 80877103} // GSSENCRequest, SSLRequest
			if db.Cockroach() {
				codes = codes[1:] // old ones do not know the other
			}
			for _, code := range codes {
				request := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, code)
				if _, err := conn.Write(request); err != nil {
					return nil, err
				}
				answer := make([]byte, 1)
				if _, err := io.ReadFull(conn, answer); err != nil {
					return nil, err
				}
				if answer[0] != 'N' {
					t.Skip("this server encrypts")
				}
			}
			return conn, nil
		}
		conn, err := pgx.ConnectConfig(t.Context(), c)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		require.NoError(t, conn.Ping(t.Context()))
		require.EqualValues(t, 1, p.RoundTrips())
		first := <-types
		require.Equal(t, faultnet.FromServer, first.From)
		require.Equal(t, byte('R'), first.Type)
		require.Equal(t, 1, first.Conn)
		require.Zero(t, first.Index)
	})
}

// A hook sees whole messages, however they are split.
func TestMessagesInPieces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		conn := connect(t, p, db)
		long := "select '" + strings.Repeat("x", 1<<20) + "'"
		for range 2 {
			for _, sql := range []string{"select 1", long} {
				data := faultnet.Encode(&pgproto3.Query{String: sql})
				for head := range 12 {
					_, err := conn.PgConn().Conn().Write(data[head : head+1])
					require.NoError(t, err)
				}
				_, err := conn.PgConn().Conn().Write(data[12:])
				require.NoError(t, err)
				f := conn.PgConn().Frontend()
				for {
					m, err := f.Receive()
					require.NoError(t, err)
					if row, ok := m.(*pgproto3.DataRow); ok {
						require.Len(t, row.Values[0], max(1, len(sql)-len("select ''")))
					}
					if _, ok := m.(*pgproto3.ReadyForQuery); ok {
						break
					}
				}
			}
			// The same with a hook, which sees whole messages.
			p.SetHook(func(m faultnet.Message) faultnet.Action {
				if len(m.Data) != 1+int(binary.BigEndian.Uint32(m.Data[1:])) {
					t.Errorf("%v is not whole", m)
				}
				return faultnet.Pass()
			})
		}
	})
}

// The text behind a name is known from before the hook was set.
func TestStatementNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		conn := connect(t, p, db)
		_, err := conn.Prepare(t.Context(), "ps", "commit")
		require.NoError(t, err)
		var got []string
		p.SetHook(func(m faultnet.Message) faultnet.Action {
			if m.From == faultnet.FromClient {
				got = append(got, m.String())
				if m.Executes(" Commit;") {
					got = append(got, "executes")
				}
			}
			return faultnet.Pass()
		})
		// There is no transaction, which CockroachDB reports as an error.
		_, _ = conn.PgConn().ExecPrepared(t.Context(), "ps", nil, nil, nil).Close()
		_, _ = conn.PgConn().ExecParams(t.Context(), "rollback", nil, nil, nil, nil).Close()
		_, _ = conn.Exec(t.Context(), "COMMIT")
		p.SetHook(nil)
		require.Equal(t, []string{
			"1 client 4 B commit", "1 client 5 D", "1 client 6 E commit", "executes", "1 client 7 S",
			"1 client 8 P rollback", "1 client 9 B rollback", "1 client 10 D", "1 client 11 E rollback", "1 client 12 S",
			"1 client 13 Q COMMIT", "executes",
		}, withoutSpace(got))
	})
}

func withoutSpace(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
