package rowkeeper_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// The README shows the code below.

type UserID int64

type Account struct {
	ID      int64  `db:"id"      owner:"pk"`
	UserID  UserID `db:"user_id" owner:"owner"`
	Balance int64  `db:"balance" owner:"server"`
}

var (
	Accounts = owner.MustTable[Account, UserID]("accounts")
	Balance  = owner.Column(Accounts, func(a *Account) *int64 { return &a.Balance })
)

type Transfer struct {
	From   int64 `json:"from"`
	To     int64 `json:"to"`
	Amount int64 `json:"amount"`
}

type after struct {
	pool   *pgxpool.Pool
	notify func(ctx context.Context, id int64)
}

var catalog = errs.NewCatalog(
	errs.Constraint("balance_not_negative").Code("insufficient_funds").Field("/amount").Message("There is not enough money in the account."),
)

type bank struct{ pool *pgxpool.Pool }

func (b *bank) withdraw(w http.ResponseWriter, r *http.Request) error {
	return txn.Run(r.Context(), b.pool, func(ctx context.Context, tx *txn.Tx) error {
		var balance int64
		err := tx.QueryRow(ctx, "select balance from accounts where id = $1", r.PathValue("id")).Scan(&balance)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "update accounts set balance = $2 where id = $1", r.PathValue("id"), balance-10)
		return err
	})
}

type before struct{ pool *pgxpool.Pool }

func (s *before) transfer(w http.ResponseWriter, r *http.Request) {
	amount, _ := strconv.ParseInt(r.FormValue("amount"), 10, 64)
	var balance int64
	err := s.pool.QueryRow(r.Context(), "select balance from accounts where id = $1", r.FormValue("from")).Scan(&balance)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, err = s.pool.Exec(r.Context(), "update accounts set balance = $1 where id = $2", balance-amount, r.FormValue("from"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// … and the same for the account that it goes to
}

func (s *after) transfer(w http.ResponseWriter, r *http.Request) error {
	me, err := owner.FromContext[UserID](r.Context())
	if err != nil {
		return err
	}
	t, err := jsonbody.Decode[Transfer](w, r)
	if err != nil {
		return err
	}
	if t.Amount <= 0 {
		return errs.New(errs.Invalid, errs.Field("/amount"))
	}
	return txn.Run(r.Context(), s.pool, func(ctx context.Context, tx *txn.Tx) error {
		if err := Accounts.In(me).Update(t.From).Set(Balance.Add(-t.Amount)).Exec(ctx, tx); err != nil {
			return err
		}
		return Accounts.In(me).Update(t.To).Set(Balance.Add(t.Amount)).Exec(ctx, tx)
	})
}

func (s *after) withdraw(ctx context.Context, id, amount int64) error {
	return txn.Run(ctx, s.pool, func(ctx context.Context, tx *txn.Tx) error {
		var balance int64
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
			return err
		}
		tx.Queue("update accounts set balance = $2 where id = $1", id, balance-amount)
		tx.OnCommit(func(ctx context.Context) { s.notify(ctx, id) }) // once, after a known commit
		return nil
	})
}

type Deposit struct{ To, Amount int64 }

func (s *after) deposit(ctx context.Context, user UserID, key string, d Deposit) (balance int64, err error) {
	return txn.RunInTx(ctx, s.pool, func(ctx context.Context, tx *txn.Tx) (balance int64, err error) {
		err = tx.QueryRow(ctx, "update accounts set balance = balance + $2 where id = $1 returning balance", d.To, d.Amount).Scan(&balance)
		return balance, err
	}, once.Key(fmt.Sprintf("deposits/%d", user), key, d))
}

// importsOfReadme are those of the blocks that are no program.
const importsOfReadme = `package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/jsonbody"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

`

// The program compiles alone, and with all other blocks pasted below it.
func TestReadmeShowsCodeThatCompiles(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.Len(t, blocks, 7)
	program, others := "", ""
	for _, block := range blocks {
		if strings.HasPrefix(block[1], "package main\n") {
			require.Empty(t, program)
			program = block[1]
			continue
		}
		require.Contains(t, string(source), block[1])
		others += block[1] + "\n"
	}
	first := blocks[0][1]
	require.Contains(t, program, first, "the program has the code above it")
	others = strings.Replace(others, first, "", 1)

	dir := t.TempDir()
	one, two := filepath.Join(dir, "main.go"), filepath.Join(dir, "others.go")
	require.NoError(t, os.WriteFile(one, []byte(program), 0o600))
	require.NoError(t, os.WriteFile(two, []byte(importsOfReadme+others), 0o600))
	for _, files := range [][]string{{one}, {one, two}} {
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"vet"}, files...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

func TestReadmeKeepsItsWord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), `
			create table accounts (id bigint primary key, user_id bigint not null, balance bigint not null,
				constraint balance_not_negative check (balance >= 0));
			insert into accounts values (1, 42, 100), (2, 42, 0), (3, 43, 100)`)
		require.NoError(t, err)
		me, err := owner.For(UserID(42))
		require.NoError(t, err)
		send := func(body string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(owner.NewContext(t.Context(), me), "POST", "/transfers", strings.NewReader(body))
			r.Header.Set("X-Request-Id", "same")
			catalog.Handler((&after{pool: db.Pool}).transfer).ServeHTTP(w, r)
			return w
		}
		require.Equal(t, 200, send(`{"from": 1, "to": 2, "amount": 60}`).Code)
		overdraft := send(`{"from": 1, "to": 2, "amount": 60}`)
		require.Equal(t, 422, overdraft.Code)
		require.Contains(t, overdraft.Body.String(), "insufficient_funds")
		foreign, missing := send(`{"from": 3, "to": 2, "amount": 60}`), send(`{"from": 4, "to": 2, "amount": 60}`)
		require.Equal(t, 404, foreign.Code)
		require.Equal(t, missing.Body.String(), foreign.Body.String())
		require.Equal(t, 422, send(`{"from": 1, "to": 2, "amount": -60}`).Code)

		var balances []int64
		rows, err := db.Query(t.Context(), "select balance from accounts order by id")
		require.NoError(t, err)
		for rows.Next() {
			var n int64
			require.NoError(t, rows.Scan(&n))
			balances = append(balances, n)
		}
		require.NoError(t, rows.Err())
		require.Equal(t, []int64{40, 60, 100}, balances)

		var notified []int64
		s := &after{db.Pool, func(_ context.Context, id int64) { notified = append(notified, id) }}
		require.NoError(t, s.withdraw(t.Context(), 3, 30))
		require.Error(t, s.withdraw(t.Context(), 3, 300))
		require.Equal(t, []int64{3}, notified)

		withdraw := func(id string) int {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/accounts/"+id+"/withdraw", nil)
			r.SetPathValue("id", id)
			catalog.Handler((&bank{db.Pool}).withdraw).ServeHTTP(w, r)
			return w.Code
		}
		require.Equal(t, 200, withdraw("2"))
		require.Equal(t, 404, withdraw("4"))
		for range 5 {
			require.Equal(t, 200, withdraw("2"))
		}
		require.Equal(t, 422, withdraw("2"))

		_, err = db.Exec(t.Context(), once.Schema)
		require.NoError(t, err)
		for range 2 {
			balance, err := s.deposit(t.Context(), 43, "key", Deposit{To: 3, Amount: 5})
			require.NoError(t, err)
			require.EqualValues(t, 75, balance)
		}
		_, err = s.deposit(t.Context(), 43, "key", Deposit{To: 3, Amount: 6})
		require.ErrorIs(t, err, once.ErrKeyReused)
	})
}

var _ = (&before{}).transfer
