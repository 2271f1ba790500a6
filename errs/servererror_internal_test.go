package errs

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestForeignKeyDirectionInAnyLanguage(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]direction{
		// PostgreSQL
		`insert or update on table "o" violates foreign key constraint "fk"`:                                missing,
		`update or delete on table "p" violates foreign key constraint "fk" on table "o"`:                   inUse,
		`Einfügen oder Aktualisieren in Tabelle »o« verletzt Fremdschlüssel-Constraint »fk«`:                missing,
		`Aktualisieren oder Löschen in Tabelle »p« verletzt Fremdschlüssel-Constraint »fk« von Tabelle »o«`: inUse,
		`une instruction insert ou update sur la table « o » viole la contrainte de clé étrangère « fk »`:   missing,
		`UPDATE o DELETE sulla tabella "p" viola il vincolo di chiave esterna "fk" sulla tabella "o"`:       inUse,
		`插入或更新表 "o" 违反外键约束 "fk"`:                                                                            missing,
		`テーブル"p"の更新または削除は、テーブル"o"の外部キー制約"fk"に違反します`:                                                         inUse,
		`INSERT или UPDATE в таблице "o" нарушает ограничение внешнего ключа "fk"`:                          missing,
		// CockroachDB
		`insert on table "o" violates foreign key constraint "fk"`:              missing,
		`delete on table "p" violates foreign key constraint "fk" on table "o"`: inUse,

		``:                       directionUnknown,
		`something "else" again`: directionUnknown,
	} {
		require.Equal(t, want, foreignKeyDirection(message), message)
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
