package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMoneyIsConserved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		one, two := c.alice.accounts[0].String(), c.alice.accounts[1].String()
		var wg sync.WaitGroup
		var answers [4][]answer
		for i := range answers {
			wg.Go(func() {
				for n := range 8 {
					from, to := one, two
					if (i+n)%2 == 1 {
						from, to = two, one
					}
					r, _ := http.NewRequestWithContext(context.WithoutCancel(t.Context()), "POST", c.server.URL+"/transfers",
						strings.NewReader(fmt.Sprintf(`{"from": %q, "to": %q, "amount": 10}`, from, to)))
					r.Header.Set("Authorization", "Bearer "+c.alice.token)
					resp, err := c.server.Client().Do(r)
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					answers[i] = append(answers[i], answer{status: resp.StatusCode})
				}
			})
		}
		wg.Wait()
		committed := 0
		for _, a := range answers {
			for _, one := range a {
				require.Contains(t, []int{201, 422}, one.status)
				if one.status == 201 {
					committed++
				}
			}
		}
		var sum, transfers int
		require.NoError(t, db.QueryRow(t.Context(), "select sum(balance)::bigint from accounts where user_id = (select user_id from accounts where id = $1)", one).Scan(&sum))
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from transfers").Scan(&transfers))
		require.Equal(t, 10_000, sum)
		require.Equal(t, committed, transfers)
	})
}

// A client that got no answer asks again.
func TestRepeatedRequestsMoveMoneyOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		c := open(t, db)
		with := func(token, path, key, body string) answer {
			r, err := http.NewRequestWithContext(t.Context(), "POST", c.server.URL+path, strings.NewReader(body))
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Idempotency-Key", key)
			resp, err := c.server.Client().Do(r)
			require.NoError(t, err)
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
		}
		everyday, savings := c.alice.accounts[0].String(), c.alice.accounts[1].String()
		transfer := fmt.Sprintf(`{"from": %q, "to": %q, "amount": 20}`, everyday, savings)
		first := with(c.alice.token, "/transfers", `"k"`, transfer)
		require.Equal(t, 201, first.status, first.body)
		for range 2 {
			again := with(c.alice.token, "/transfers", `"k"`, transfer)
			require.Equal(t, first.body, again.body)
			require.Equal(t, 201, again.status)
		}
		deposit := "/accounts/" + savings + "/deposit"
		for range 2 {
			require.EqualValues(t, 70, decoded[Account](t, with(c.alice.token, deposit, `"k"`, `{"amount": 50}`), 200).Balance, "the key is that of another endpoint")
		}
		require.Equal(t, 422, with(c.alice.token, deposit, `"k"`, `{"amount": 51}`).status)
		require.Equal(t, 422, with(c.alice.token, "/accounts/"+everyday+"/deposit", `"k"`, `{"amount": 50}`).status)
		bare := with(c.alice.token, deposit, `k`, `{"amount": 50}`)
		require.Equal(t, 200, bare.status, "the same key, without quotes")
		require.Equal(t, "true", bare.header.Get("Idempotent-Replayed"))
		require.Equal(t, 400, with(c.alice.token, deposit, `k k`, `{"amount": 50}`).status)
		foreign := with(c.bob.token, "/transfers", `"k"`, transfer)
		require.Equal(t, 404, foreign.status, "Bob's key is not Alice's")
		require.NotContains(t, foreign.body, everyday)
		refused := fmt.Sprintf(`{"from": %q, "to": %q, "amount": 999999}`, everyday, savings)
		require.Equal(t, 422, with(c.alice.token, "/transfers", `"l"`, refused).status)
		require.Equal(t, 201, with(c.alice.token, "/transfers", `"l"`, transfer).status, "an error leaves the key free")
		require.EqualValues(t, 90, decoded[Account](t, c.do(c.alice.token, "GET", "/accounts/"+savings, ""), 200).Balance)
	})
}
