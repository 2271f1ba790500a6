package faultnet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// Wherever the connection is cut, every commit that the client was told of is done.
func TestRandomCuts(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol,
	} {
		dbtestEach(t, mode.String(), func(t *testing.T, db *dbtest.DB) {
			p := start(t, db)
			c := config(p, db)
			c.DefaultQueryExecMode = mode
			try := func(id int) (err error) {
				conn, err := pgx.ConnectConfig(t.Context(), c)
				require.NoError(t, err, "the start-up is left alone")
				if id%2 == 0 {
					err = transaction(t.Context(), conn, id)
				} else {
					err = pipelined(t.Context(), conn, id)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				conn.Close(ctx)
				return err
			}
			require.NoError(t, try(-1))
			require.NoError(t, try(-2))
			most := [2]int64{p.Bytes(faultnet.FromClient) / 2, p.Bytes(faultnet.FromServer) / 2}

			acknowledged := []int{-1, -2}
			cuts := 0
			for id := range 40 {
				from := faultnet.Direction(rand.IntN(2))
				how := cutsOfClient[rand.IntN(len(cutsOfClient))]
				n := rand.Int64N(most[from] + 10)
				cut := p.CutAfterBytes(from, n, how)
				if err := try(id); err == nil {
					acknowledged = append(acknowledged, id)
				} else {
					select {
					case <-cut:
						cuts++
					case <-time.After(5 * time.Minute):
						t.Fatalf("not cut, but: %v", err)
					}
				}
			}
			require.Positive(t, cuts)
			p.Close()
			for _, id := range acknowledged {
				var there bool
				require.NoError(t, db.QueryRow(t.Context(), fmt.Sprintf("select exists (select 1 from t where id = %d)", id)).Scan(&there))
				require.True(t, there, "%d was acknowledged", id)
			}
		})
	}
}

// Exactly n bytes of an answer arrive.
func TestCutAfterBytesIsExact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		p := start(t, db)
		for n := range 30 {
			conn, err := pgx.ConnectConfig(t.Context(), config(p, db))
			require.NoError(t, err)
			cut := p.CutAfterBytes(faultnet.FromServer, int64(n), faultnet.CloseClient)
			query(t, conn, "select 'a long enough answer'")
			got := make([]byte, 1000)
			read := 0
			for err == nil {
				var k int
				k, err = conn.PgConn().Conn().Read(got)
				read += k
			}
			require.Equal(t, n, read)
			await(t, cut)
			require.NoError(t, conn.PgConn().Conn().Close())
		}

		// The last byte is delivered, and the cut does not wait for another.
		conn := connect(t, p, db)
		ping := func() int64 {
			before := p.Bytes(faultnet.FromServer)
			require.NoError(t, conn.Ping(t.Context()))
			return p.Bytes(faultnet.FromServer) - before
		}
		cut := p.CutAfterBytes(faultnet.FromServer, ping(), faultnet.CloseClient)
		ping()
		await(t, cut)
		require.Error(t, conn.Ping(t.Context()))

		// Once only, and not at all after it was taken back.
		conn = connect(t, p, db)
		require.NoError(t, conn.Ping(t.Context()))
		p.CutAfterBytes(faultnet.FromClient, 1, faultnet.ResetBoth)
		p.CutAfterBytes(faultnet.FromClient, -1, faultnet.ResetBoth)
		require.NoError(t, conn.Ping(t.Context()))
		cut = p.CutAfterBytes(faultnet.FromClient, 0, faultnet.ResetBoth)
		require.Error(t, conn.Ping(t.Context()))
		await(t, cut)
	})
}
