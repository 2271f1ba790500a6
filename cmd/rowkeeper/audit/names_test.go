package audit

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
)

func TestSnake(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"user_id": "user_id", "userId": "user_id", "UserID": "user_id", "HTTPServer": "http_server", "_prisma_migrations": "prisma_migrations",
		"order-items": "order_items", "track2": "track2", "": "",
	} {
		if got := snake(name); got != want {
			t.Errorf("snake(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"users": "user", "Companies": "company", "addresses": "address", "boxes": "box", "branches": "branch", "people": "person",
		"order_items": "order_item", "status": "status", "user_statuses": "user_status", "address": "address", "houses": "house",
		"purchases": "purchase", "user": "user", "analysis": "analysis",
	} {
		if got := singular(name); got != want {
			t.Errorf("singular(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMentions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, name string
		want             bool
	}{
		{"CHECK ((balance >= 0))", "balance", true},
		{"CHECK ((old_balance >= 0))", "balance", false},
		{"CHECK ((balance_limit > 0) AND (balance > 0))", "balance", true},
		{"balance", "balance", true},
		{"balances", "balance", false},
		{"", "balance", false},
	} {
		if got := mentions(c.expression, c.name); got != c.want {
			t.Errorf("mentions(%q, %q) = %v", c.expression, c.name, got)
		}
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema, name string
		want         bool
	}{
		{"public", "schema_migrations", true}, {"public", "__EFMigrationsHistory", true}, {"public", "goose_db_version", true},
		{"public", "river_job", true}, {"partman", "template_events", true}, {"public", "users", false}, {"public", "quests", false},
	} {
		if got := foreign(&catalog.Table{Schema: c.schema, Name: c.name}) != ""; got != c.want {
			t.Errorf("foreign(%s.%s) = %v", c.schema, c.name, got)
		}
	}
}

func TestObjectName(t *testing.T) {
	t.Parallel()
	long := objectName("a_table_with_a_rather_long_name", "and_a_column_with_another_long_name", "fkey")
	other := objectName("a_table_with_a_rather_long_name", "and_a_column_with_another_long_one_", "fkey")
	if len(long) != 63 || long == other {
		t.Errorf("%q and %q are no two names of 63 bytes", long, other)
	}
	if got := objectName("Users", "id"); got != `"Users_id"` {
		t.Errorf("got %s", got)
	}
}
