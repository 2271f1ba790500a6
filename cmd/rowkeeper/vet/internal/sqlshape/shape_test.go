package sqlshape

import (
	"fmt"
	"strings"
	"testing"
)

// describe writes a statement in one line, so that a table of tests can be read.
func describe(s Statement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", s.Verb)
	if !s.Known {
		b.WriteString(" unknown")
	}
	for _, t := range s.Tables {
		b.WriteString(" " + t.Name)
		if t.Alias != "" {
			b.WriteString("=" + t.Alias)
		}
	}
	if s.Columns != nil {
		fmt.Fprintf(&b, " columns %v", s.Columns)
	}
	for _, a := range s.Set {
		b.WriteString(" set " + a.Column)
	}
	for _, c := range s.Where {
		left := c.Left.Name
		if c.Left.Table != "" {
			left = c.Left.Table + "." + left
		}
		switch {
		case c.Op == "":
			b.WriteString(" [?]")
		case c.Right.Kind == Parameter:
			fmt.Fprintf(&b, " [%s %s %s]", left, c.Op, c.Right.Param)
		case c.Right.Kind == OfColumn:
			fmt.Fprintf(&b, " [%s %s %s.%s]", left, c.Op, c.Right.Column.Table, c.Right.Column.Name)
		case c.Right.Kind == Constant:
			fmt.Fprintf(&b, " [%s %s const]", left, c.Op)
		default:
			fmt.Fprintf(&b, " [%s %s]", left, c.Op)
		}
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{s.Locks, "locks"}, {s.Returning, "returning"}, {s.OnConflict, "conflict"}, {s.Limited, "limited"}, {s.AllOwners != "", "all-owners"}} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ sql, want string }{
		{"select 1", "select"},
		{"SELECT * FROM accounts WHERE id = $1", "select accounts [id = $1]"},
		{"select a.name from public.accounts as a where a.id = $1 and ((a.user_id = $2))", "select accounts=a [a.id = $1] [a.user_id = $2]"},
		{"select x from a where $1 = id", "select a [id = $1]"},
		{"select x from a where $1 < id", "select a [id > $1]"},
		{"select x from a where id = $1 or user_id = $2", "select a [?]"},
		{"select x from a where id = $1 and (user_id = $2 or public)", "select a [id = $1] [?]"},
		{"select x from a where not user_id = $1", "select a [?]"},
		{"select x from a where id between 1 and 2 and user_id = $1", "select a [id between] [user_id = $1]"},
		{"select x from a where id = any($1) and user_id = $2::uuid", "select a [id in] [user_id = $2]"},
		{"select x from a where id in (select 1 where user_id = $1)", "select a [id in]"},
		{"select x from a where lower(name) = $1", "select a [?]"},
		{"select x from a where user_id = user_id", "select a [user_id = .user_id]"},
		{"select x from a where id = $1 for update", "select a [id = $1] locks"},
		{"select x from a where id = $1 for no key update skip locked", "select a [id = $1] locks"},
		{"select x from a where id = $1 order by id limit 1 for share", "select a [id = $1] locks limited"},
		{"select count(*) from a group by x", "select a limited"},
		{"select x from a join b on b.id = a.b_id where b.user_id = $1", "select a b [b.id = a.b_id] [b.user_id = $1]"},
		{"select x from a left join b on b.id = a.b_id where a.id = $1", "select a b [a.id = $1]"},
		{"select x from a, b x where a.id = x.id", "select a b=x [a.id = x.id]"},
		{"select x from a join b using (id)", "select unknown a b"},
		{"select x from (select * from a) y where id = $1", "select unknown [id = $1]"},
		{"select x from f($1) y", "select unknown"},
		{"select x from a union select y from b", "select unknown a"},
		{"with x as (select * from a) select * from x", "select unknown x"},
		{"select 'from b where c = 1', \"from\" from a", "select a"},
		{"select x from a -- where id = 1\nwhere user_id = $1", "select a [user_id = $1]"},
		{"select x from a /* where id = 1 */ where user_id = ?", "select a [user_id = ?]"},
		{"select x from a where user_id = :user and id = @id", "select a [user_id = :user] [id = @id]"},
		{"select x from a where id = $1 -- rowkeeper:all-owners nightly job", "select a [id = $1] all-owners"},
		{"select x from a where s = $$it's$$ and id = $1", "select a [s = const] [id = $1]"},
		{"select x from a where s = E'it\\'s' and id = $1", "select a [s = const] [id = $1]"},
		{"select x from a; delete from a", "select unknown a"},
		{"insert into a (id, user_id) values ($1, $2)", "insert a columns [id user_id]"},
		{"INSERT INTO a(id) VALUES($1) ON CONFLICT (id) DO UPDATE SET x = excluded.x RETURNING id", "insert a columns [id] set x returning conflict"},
		{"insert into a (id) values (1) on conflict do nothing", "insert a columns [id] conflict"},
		{"insert into a (id) select id from b", "insert unknown a columns [id]"},
		{"insert into a values (1, 2)", "insert a"},
		{"update a set x = $1, y = y + 1 where id = $2 returning x", "update a set x set y [id = $2] returning"},
		{"update only a as z set x = 1 from b where z.id = b.id and b.user_id = $1", "update a=z b set x [z.id = b.id] [b.user_id = $1]"},
		{"update a set (x, y) = (1, 2) where id = $1", "update unknown a [id = $1]"},
		{"delete from a where id = $1 and user_id = $2;", "delete a [id = $1] [user_id = $2]"},
		{"delete from a using b where a.b_id = b.id", "delete a b [a.b_id = b.id]"},
		{"truncate a", " unknown"},
		{"merge into a using b on a.id = b.id when matched then delete", " unknown"},
		{"", " unknown"},
		{"select x from a where case when y then id = 1 and z = 2 end and user_id = $1", "select a [?] [user_id = $1]"},
		{"select x from a where tags ->> 'k' = $1 and id = $2", "select a [?] [id = $2]"},
		{"select x from a where deleted_at is null and state = 'open'", "select a [deleted_at is] [state = const]"},
	} {
		if got := describe(Parse(tc.sql)); got != tc.want {
			t.Errorf("%s\n got %s\nwant %s", tc.sql, got, tc.want)
		}
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		sql  string
		want Place
	}{
		{"select * from a where name = '", InString},
		{"select * from a where name like '%", InString},
		{"select * from a where name = 'it''s ", InString},
		{"select * from a where name = ", ForValue},
		{"select * from a where name ilike ", ForValue},
		{"select * from a where id in (", ForValue},
		{"select * from a where id in ($1, ", ForValue},
		{"insert into a (x, y) values (1, ", ForValue},
		{"insert into a (x, ", Elsewhere},
		{"update a set x = ", ForValue},
		{"select * from ", Elsewhere},
		{"select * from a order by ", Elsewhere},
		{"select * from \"", InIdentifier},
		{"select * from a -- it's ", Elsewhere},
		{"set search_path = ", ForValue},
		{"what = '", InString},
		{"", Elsewhere},
	} {
		if got := End(tc.sql); got != tc.want {
			t.Errorf("%q: got %d, want %d", tc.sql, got, tc.want)
		}
	}
}

// Any text is read to its end, without a panic.
func FuzzParse(f *testing.F) {
	f.Add("select a.x from a join b on a.id = b.id where a.y = $1 for update")
	f.Add("insert into a (x) values ($1) on conflict do update set x = 1 returning x")
	f.Add("update a set x = 'it''s' where $$x$$ = any(")
	f.Add("delete from \"A\" using")
	f.Fuzz(func(t *testing.T, sql string) {
		Parse(sql)
		End(sql)
	})
}
