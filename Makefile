# Everything works on a machine with Go, git and make: a database is found or,
# on Debian as root, installed.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.7.0
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The folder of each module.
MODULES = $(shell git ls-files -co --exclude-standard -- go.mod '*/go.mod' | xargs -n1 dirname)

.DEFAULT_GOAL := help
.PHONY: help demo test proof bench chaos chaos-broken check lint vuln database pooler

help: ## Show what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# The program takes the place of the shell, so what ends make ends it too.
demo: database ## Run the bank: five ways to make transfers, then its API. ARGS=-once ends after the table.
	@go build -o .bin/bank ./examples/bank && exec .bin/bank $(ARGS)

test: database pooler ## Run all tests of all modules, with the race detector, on every database engine found. ARGS=-short takes less.
	@.ci/test $(ARGS)

proof: database ## Prove package owner: hostile statements, two grammars, an oracle. ARGS='-n 5000000' is the long form.
	@cd internal/lab/proof && go run . $(ARGS)

bench: database ## Compare with other libraries: round trips, or ARGS='-suite hot'. ARGS=-help shows the flags.
	@cd internal/lab/bench && go run . $(ARGS)

chaos: database ## Cut, hold, kill and cancel under load, and check every claim: minutes. ARGS=-short takes one.
	@go run ./internal/lab/chaos/cmd $(ARGS)

chaos-broken: database ## Break package txn in several ways, and show that chaos catches each: some minutes.
	go test -count=1 -timeout 60m -v -run TestBrokenBuildsAreCaught ./internal/lab/chaos -broken

check: ## Check format, vet, staticcheck, go.mod, the README's commands, and that each name has a comment and an example.
	@.ci/check $(STATICCHECK)

lint: ## Run golangci-lint with .golangci.yml on all modules. The first time builds it, which takes minutes.
	@failed=0; for dir in $(MODULES); do echo "$$dir:"; go -C "$$dir" run $(GOLANGCI_LINT) run || failed=1; done; exit $$failed

vuln: ## Look for known vulnerabilities that the modules reach. Needs the network.
	@failed=0; for dir in $(MODULES); do echo "$$dir:"; go -C "$$dir" run $(GOVULNCHECK) ./... || failed=1; done; exit $$failed

database:
	@internal/devdb/install.sh

pooler:
	@internal/devdb/install-pooler.sh
