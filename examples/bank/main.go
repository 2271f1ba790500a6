// Command bank is a small bank on all three packages of Rowkeeper: accounts,
// deposits, and transfers between accounts of the same user.
//
// It starts a database, runs the same transfers in five ways, prints the results,
// and then serves its API.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err != nil && ctx.Err() == nil { // being stopped is no failure, at any point
		fmt.Fprintln(os.Stderr, "bank:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bank", flag.ContinueOnError)
	once := flags.Bool("once", false, "end after the table")
	addr := flags.String("addr", "127.0.0.1:8080", "loopback address to serve on")
	s := storm{}
	flags.IntVar(&s.workers, "workers", 16, "workers of the storm")
	flags.IntVar(&s.accounts, "accounts", 4, "accounts that they share")
	flags.DurationVar(&s.duration, "duration", 4*time.Second, "time for each way")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	if flags.NArg() > 0 || s.workers < 1 || s.accounts < 2 || s.duration <= 0 {
		return errors.New("needs at least 1 worker, 2 accounts, a positive duration, and nothing else")
	}
	if err := loopback(*addr); err != nil {
		return err
	}

	var listener net.Listener
	if !*once { // before any slow step
		var err error
		if listener, err = listen(*addr); err != nil {
			return err
		}
		defer listener.Close()
	}

	source, err := findDatabase(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Starting %s …\n", source)
	db, err := source.Start(ctx)
	if err != nil {
		return err
	}
	defer db.Stop()
	fmt.Printf("%s %s is ready.\n\n", db.Engine, db.Version)

	pool, done, err := workspace(ctx, db, s.workers+4)
	if err != nil {
		return err
	}
	defer done()
	if err := blow(ctx, pool, s); err != nil || *once {
		return err
	}
	return serve(ctx, pool, listener)
}

func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("-addr %s is not a loopback address: this is a demo", addr)
	}
	return nil
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program: choose another address, or any port that is free:\n"+
			"  make demo ARGS='-addr 127.0.0.1:0'", addr)
	}
	return listener, err
}

// findDatabase returns the preferred database. If there is none, one is downloaded;
// the download cannot be stopped, but ctx ends the wait for it.
func findDatabase(ctx context.Context) (devdb.Source, error) {
	type result struct {
		sources []devdb.Source
		err     error
	}
	found := make(chan result, 1)
	go func() {
		sources, err := devdb.Find()
		found <- result{sources, err}
	}()
	select {
	case r := <-found:
		if r.err != nil {
			return devdb.Source{}, r.err
		}
		return r.sources[0], nil
	case <-ctx.Done():
		return devdb.Source{}, ctx.Err()
	}
}

// workspace creates a schema for the demo, so that nothing else in the database is
// touched, and returns a function that drops it.
func workspace(ctx context.Context, db *devdb.Server, conns int) (*pgxpool.Pool, func(), error) {
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		return nil, nil, err
	}
	schema := "rowkeeper_bank_" + strings.ToLower(rand.Text()[:8])
	quoted := pgx.Identifier{schema}.Sanitize()
	config.ConnConfig.RuntimeParams["search_path"] = schema
	config.MaxConns = int32(conns)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	// Stopping the demo interrupts neither change, or a schema might be left.
	change := func(sql string) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_, err := pool.Exec(ctx, sql)
		return err
	}
	if err := change("create schema " + quoted); err != nil {
		pool.Close()
		return nil, nil, fmt.Errorf("make a schema for the demo: %w", err)
	}
	done := func() {
		if db.External {
			if err := change("drop schema " + quoted + " cascade"); err != nil {
				fmt.Fprintln(os.Stderr, "bank:", err)
			}
		}
		pool.Close()
	}
	if err := createSchema(ctx, pool); err != nil {
		done()
		return nil, nil, err
	}
	return pool, done, nil
}

// blow runs the storm and prints the table.
func blow(ctx context.Context, pool *pgxpool.Pool, s storm) error {
	if _, err := pool.Exec(ctx, stormSchema); err != nil {
		return err
	}
	fmt.Printf("%d workers make transfers between %d accounts, in five ways:\n", s.workers, s.accounts)
	progress := newMeter(os.Stdout)
	var scores []score
	for i, w := range ways {
		progress.begin(w.name, s.duration)
		result, err := s.run(ctx, pool, i, w, func(committed int64, left time.Duration) { progress.show(w.name, committed, left) })
		progress.end()
		if err != nil {
			return err
		}
		scores = append(scores, result)
	}
	fmt.Println()
	report(os.Stdout, scores)
	fmt.Print(`
refused: requests that a client would see fail as 5xx.
lost updates: by how much the balances differ from the transfers that were reported as committed.
`)
	if last := scores[len(scores)-1]; last.lost > 0 || last.refused > 0 {
		return fmt.Errorf("the last row must not have lost updates (%d) or refused requests (%d)", last.lost, last.refused)
	}
	return nil
}

func serve(ctx context.Context, pool *pgxpool.Pool, listener net.Listener) error {
	alice, err := newUser(ctx, pool, "alice")
	if err != nil {
		return err
	}
	bob, err := newUser(ctx, pool, "bob")
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	fmt.Printf(`
The bank is open at %[1]s until Ctrl-C. Try:

  # what Alice has
  curl -s %[1]s/accounts -H 'Authorization: Bearer %[2]s'

  # more than she has: 422, insufficient_funds
  curl -s %[1]s/transfers -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"from": "%[3]s", "to": "%[4]s", "amount": 999999}'

  # twice the same request with the same key: one transfer, and the same answer
  for i in 1 2; do curl -s %[1]s/transfers -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -H 'Idempotency-Key: "demo"' -d '{"from": "%[3]s", "to": "%[4]s", "amount": 5}'; done

  # an account of Bob's, asked for by Alice: 404, as if it did not exist
  curl -s %[1]s/accounts/%[5]s -H 'Authorization: Bearer %[2]s'

`, base, alice.token, alice.accounts[0], alice.accounts[1], bob.accounts[0])

	srv := &http.Server{Handler: newServer(pool, slog.Default()), ReadTimeout: 10 * time.Second, WriteTimeout: 40 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(shutdown); err != nil {
		return srv.Close() // requests that still run are cut off
	}
	return nil
}

type user struct {
	token    string
	scope    owner.Scope[UserID]
	accounts []ID
}

// newUser creates a user with two accounts, of which the first has some money. Only
// a hash of the token is stored.
func newUser(ctx context.Context, pool *pgxpool.Pool, name string) (user, error) {
	u := user{token: rand.Text()}
	hash := sha256.Sum256([]byte(u.token))
	var id UserID
	err := pool.QueryRow(ctx, "insert into users (name, token_hash) values ($1, $2) returning id", name, hash[:]).Scan(&id)
	if err != nil {
		return user{}, err
	}
	if u.scope, err = owner.For(id); err != nil {
		return user{}, err
	}
	b := bank{txn.New(pool)}
	for _, account := range []string{"everyday", "savings"} {
		a, err := b.openAccount(ctx, u.scope, account)
		if err != nil {
			return user{}, err
		}
		u.accounts = append(u.accounts, a.ID)
	}
	err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := deposit(ctx, tx, u.scope, u.accounts[0], 10_000)
		return err
	})
	return u, err
}
