package audit

import (
	"slices"
	"strings"
	"unicode"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
)

// words splits a name: user_id, userId and UserID are "user" and "id".
func words(name string) []string {
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) ||
			i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])):
			end()
		}
		word.WriteRune(unicode.ToLower(r))
	}
	end()
	return out
}

// snake returns a name in lower case with underscores.
func snake(name string) string { return strings.Join(words(name), "_") }

// singular returns the singular of a name, of which it looks at the last word.
func singular(name string) string {
	name = snake(name)
	cut := strings.LastIndexByte(name, '_') + 1
	return name[:cut] + singularWord(name[cut:])
}

func singularWord(w string) string {
	switch {
	case w == "people":
		return "person"
	case w == "children":
		return "child"
	case w == "status", w == "news", w == "series", w == "address", w == "access", w == "bus", w == "gas", w == "lens", w == "sms":
		return w
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return strings.TrimSuffix(w, "ies") + "y"
	case hasSuffix(w, "sses", "shes", "ches", "xes", "uses") && w != "causes" && w != "houses" && w != "licenses":
		return strings.TrimSuffix(w, "es")
	case strings.HasSuffix(w, "ss"), strings.HasSuffix(w, "us"), strings.HasSuffix(w, "is"):
		return w
	}
	return strings.TrimSuffix(w, "s")
}

func hasSuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(x string) bool { return strings.HasSuffix(s, x) })
}

// hasWord reports whether one of the words of a name is in the set.
func hasWord(name string, set map[string]bool) bool {
	return slices.ContainsFunc(words(name), func(w string) bool { return set[w] || set[singularWord(w)] })
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(names) {
		m[n] = true
	}
	return m
}

// Rows of such tables are kept after what they refer to, and are written in bulk.
var logWords = set(`log history audit event archive snapshot tombstone trail backup journal outbox inbox metric stat
	staging import tmp temp deleted`)

// isLog reports whether the table records what happened rather than what is.
func isLog(table string) bool { return hasWord(table, logWords) }

// Tables of tools for migrations, which are not the application's.
var migrationTables = set(`schema_migrations schema_migration goose_db_version flyway_schema_history schema_version
	databasechangelog databasechangeloglock gorp_migrations migrations migration knex_migrations knex_migrations_lock
	alembic_version django_migrations ar_internal_metadata atlas_schema_revisions pgmigrations prisma_migrations
	efmigrations_history ef_migrations_history bun_migrations bun_migration_locks river_migration schema_lock
	typeorm_metadata refinery_schema_history sqlx_migrations darwin_migrations sqitch migration_info migration_version
	gopg_migrations phinxlog doctrine_migration_versions migrate_version migration_lock schema_info migrations_lock`)

// Tables of frameworks, by how their names begin.
var frameworkTables = []string{"active_storage_", "river_", "django_", "good_job", "solid_queue_", "oban_", "que_", "rowkeeper_"}

// Schemas of tools that make tables by themselves.
var toolSchemas = set("partman pgboss cron graphile_worker hdb_catalog timescaledb_information topology tiger")

// foreign returns why a table is not the application's to mend, or "".
func foreign(t *catalog.Table) string {
	name := snake(t.Name)
	if toolSchemas[t.Schema] {
		return "a table of a tool"
	}
	if migrationTables[name] {
		return "a table of migrations"
	}
	for _, prefix := range frameworkTables {
		if strings.HasPrefix(name, prefix) {
			return "a table of a framework"
		}
	}
	return ""
}

// mentions reports whether an SQL expression has the name as a word.
func mentions(expression, name string) bool {
	for rest := expression; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		end := i + len(name)
		if (i == 0 || !wordByte(rest[i-1])) && (end == len(rest) || !wordByte(rest[end])) {
			return true
		}
		rest = rest[i+1:]
	}
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// contains reports whether every name is in the list.
func contains(list []string, names ...string) bool {
	for _, n := range names {
		if !slices.Contains(list, n) {
			return false
		}
	}
	return true
}
