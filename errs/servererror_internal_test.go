package errs

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// The messages of PostgreSQL 15 in every language that its catalogs have.
var foreignKeyMessages = []struct{ language, child, parent string }{
	{"en", `insert or update on table "%s" violates foreign key constraint "%s"`, `update or delete on table "%s" violates foreign key constraint "%s" on table "%s"`},
	{"de", `Einfügen oder Aktualisieren in Tabelle »%s« verletzt Fremdschlüssel-Constraint »%s«`, `Aktualisieren oder Löschen in Tabelle »%s« verletzt Fremdschlüssel-Constraint »%s« von Tabelle »%s«`},
	{"es", `inserción o actualización en la tabla «%s» viola la llave foránea «%s»`, `update o delete en «%s» viola la llave foránea «%s» en la tabla «%s»`},
	{"fr", "une instruction insert ou update sur la table « %s » viole la contrainte de clé\nétrangère « %s »", `UPDATE ou DELETE sur la table « %s » viole la contrainte de clé étrangère « %s » de la table « %s »`},
	{"it", `la INSERT o l'UPDATE sulla tabella "%s" viola il vincolo di chiave esterna "%s"`, `l'istruzione UPDATE o DELETE sulla tabella "%s" viola il vincolo di chiave esterna "%s" sulla tabella "%s"`},
	{"ja", `テーブル"%s"への挿入、更新は外部キー制約"%s"に違反しています`, `テーブル"%[1]s"の更新または削除は、テーブル"%[3]s"の外部キー制約"%[2]s"に違反します`},
	{"ko", `"%s" 테이블에서 자료 추가, 갱신 작업이 "%s" 참조키(foreign key) 제약 조건을 위배했습니다`, `"%s" 테이블의 자료 갱신, 삭제 작업이 "%s" 참조키(foreign key) 제약 조건 - "%s" 테이블 - 을 위반했습니다`},
	{"ru", `INSERT или UPDATE в таблице "%s" нарушает ограничение внешнего ключа "%s"`, `UPDATE или DELETE в таблице "%s" нарушает ограничение внешнего ключа "%s" таблицы "%s"`},
	{"sv", `insert eller update på tabell "%s" bryter mot främmande nyckel-villkoret "%s"`, `update eller delete på tabell "%s" bryter mot främmande nyckel-villkoret "%s" för tabell "%s"`},
	{"uk", `insert або update в таблиці "%s" порушує обмеження зовнішнього ключа "%s"`, `update або delete в таблиці "%s" порушує обмеження зовнішнього ключа "%s" таблиці "%s"`},
	{"zh_CN", `插入或更新表 "%s" 违反外键约束 "%s"`, `在 "%[1]s" 上的更新或删除操作违反了在 "%[3]s" 上的外键约束 "%[2]s"`},
	{"CockroachDB, insert", `insert on table "%s" violates foreign key constraint "%s"`, `delete on table "%s" violates foreign key constraint "%s" on table "%s"`},
	{"CockroachDB, update", `update on table "%s" violates foreign key constraint "%s"`, `update on table "%s" violates foreign key constraint "%s" on table "%s"`},
}

func TestForeignKeyDirectionInAnyLanguage(t *testing.T) {
	t.Parallel()
	for _, m := range foreignKeyMessages {
		for _, child := range []string{"o", "insert", "ключ", "a'b", "a b"} {
			require.Equal(t, missing, foreignKeyDirection(&pgconn.PgError{ConstraintName: "fk", TableName: child,
				Message: fmt.Sprintf(m.child, child, "fk")}), m.language)
			require.Equal(t, inUse, foreignKeyDirection(&pgconn.PgError{ConstraintName: "fk", TableName: child,
				Message: fmt.Sprintf(m.parent, "p", "fk", child)}), m.language)
		}
	}
	for _, message := range []string{"", `something "else" again`, `"a" "b" "c" "d"`} {
		require.Equal(t, directionUnknown, foreignKeyDirection(&pgconn.PgError{Message: message}), message)
	}
}

// Two quotes in a name would turn one side into the other.
func TestForeignKeyDirectionOfNamesWithQuotes(t *testing.T) {
	t.Parallel()
	for _, m := range foreignKeyMessages {
		for _, name := range []string{`a"b"c`, `"`, `»a«`, `«a»`, `a\b`, `「」`} {
			for _, e := range []pgconn.PgError{
				{ConstraintName: name, TableName: "o", Message: fmt.Sprintf(m.child, "o", name)},
				{ConstraintName: "fk", TableName: name, Message: fmt.Sprintf(m.child, name, "fk")},
				{ConstraintName: name, TableName: "o", Message: fmt.Sprintf(m.parent, "p", name, "o")},
			} {
				require.Equal(t, directionUnknown, foreignKeyDirection(&e), "%s: %s", m.language, e.Message)
			}
		}
		got := foreignKeyDirection(&pgconn.PgError{ConstraintName: "fk", TableName: "o", Message: fmt.Sprintf(m.parent, `a"b`, "fk", "o")})
		require.NotEqual(t, missing, got, m.language)
	}
	// CockroachDB does not send the table, but escapes its quotes.
	require.Equal(t, directionUnknown, foreignKeyDirection(&pgconn.PgError{ConstraintName: "fk",
		Message: `insert on table "a\"b\"c" violates foreign key constraint "fk"`}))
}

func TestKeyColumns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ code, detail, want string }{
		{"23505", "Key (a)=(1) already exists.", "a"},
		{"23505", "Key (a, b)=(1, 2) already exists.", "a, b"},
		{"23505", "Key (a,b)=(1,2) already exists.", "a, b"},
		{"23503", `Key (a)=(1)=(2) is not present in table "p".`, "a"},
		{"23505", "Key (lower(a))=(x) already exists.", ""},
		{"23505", "Schlüssel »(a)=(1)« existiert bereits.", ""},
		{"P0001", "Key (a)=(1) already exists.", ""},
		{"23505", "Key (a", ""},
		{"23505", "", ""},
	} {
		require.Equal(t, test.want, keyColumns(&pgconn.PgError{Code: test.code, Detail: test.detail}), test.detail)
	}
}

func TestNotNullColumn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  pgconn.PgError
		want string
	}{
		{pgconn.PgError{Code: "23502", ColumnName: "a", Message: `null value in column "a" of relation "t" violates not-null constraint`}, "a"},
		{pgconn.PgError{Code: "23502", Message: `null value in column "a" violates not-null constraint`}, "a"},
		{pgconn.PgError{Code: "23502", Message: `null value in column "we"ird" violates not-null constraint`}, `we"ird`},
		{pgconn.PgError{Code: "23502", Message: `domain d does not allow null values`}, ""},
		{pgconn.PgError{Code: "42601", Message: `null value in column "a" violates not-null constraint`}, ""},
	} {
		require.Equal(t, test.want, notNullColumn(&test.err))
	}
}
