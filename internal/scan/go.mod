module github.com/rowkeeper/rowkeeper/internal/scan

go 1.25.0

replace (
	github.com/rowkeeper/rowkeeper => ../..
	github.com/rowkeeper/rowkeeper/cmd/rowkeeper => ../../cmd/rowkeeper
)

require (
	github.com/jackc/pgx/v5 v5.12.0
	github.com/rowkeeper/rowkeeper v0.1.0
	github.com/rowkeeper/rowkeeper/cmd/rowkeeper v0.1.0
	github.com/stretchr/testify v1.12.1
)
