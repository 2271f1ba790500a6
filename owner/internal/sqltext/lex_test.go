package sqltext

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Accepted conditions, with the SQL that is sent for them.
var accepted = []struct {
	text, sql string
	names     []string
}{
	{"balance < 0", "balance < 0", nil},
	{"balance < @limit", "balance < $1", []string{"limit"}},
	{"balance between @a and @b or b in (@b,@a)", "balance between $1 and $2 or b in ($2,$1)", []string{"a", "b"}},
	{"@x", "$1", []string{"x"}},
	{"@x_1 = any(@Tags)", "$1 = any($2)", []string{"x_1", "Tags"}},
	{"tags[@i] = 'a' and tags[1:2] @> array['x', 'y']", "tags[$1] = 'a' and tags[1:2] @> array['x', 'y']", []string{"i"}},
	{"doc @> @part and @part <@ doc", "doc @> $1 and $1 <@ doc", []string{"part"}},
	{"doc ? 'a' and doc ?| @keys and doc ?& @keys", "doc ? 'a' and doc ?| $1 and doc ?& $1", []string{"keys"}},
	{"doc #>> '{a,b}' = @v and doc -> 'x' ->> 'y' is null", "doc #>> '{a,b}' = $1 and doc -> 'x' ->> 'y' is null", []string{"v"}},
	{"@ balance > 5 and @(balance) > 5 and @-5 > 4", "@ balance > 5 and @(balance) > 5 and @-5 > 4", nil},
	{"a=1 and b<>-1 and c!~*'x'and d||'e'='f'", "a=1 and b<>-1 and c!~*'x'and d||'e'='f'", nil},
	{"a::int8 = @n::int8", "a::int8 = $1::int8", []string{"n"}},
	{"name = 'it''s'", "name = 'it''s'", nil},
	{`name = E'it\'s \\' and e'' = E'\''`, `name = E'it\'s \\' and e'' = E'\''`, nil},
	{`name ~ '^\d+$'`, `name ~ '^\d+$'`, nil},
	{"name = '-- /* ) ; $$ @x select'", "name = '-- /* ) ; $$ @x select'", nil},
	{`"a""b--)" = 1 and "select" = 2 and t."values" = 3`, `"a""b--)" = 1 and "select" = 2 and t."values" = 3`, nil},
	{`"größe" = 'größe'`, `"größe" = 'größe'`, nil},
	{"a$b = 1 and _x$ = 2", "a$b = 1 and _x$ = 2", nil},
	{"1e5 < .5 and 1.e+5 > 1.5E-3", "1e5 < .5 and 1.e+5 > 1.5E-3", nil},
	{"\ta\n=\r\f1 ", "\ta\n=\r\f1 ", nil},
	{"date '2020-01-01' < at and at < @t", "date '2020-01-01' < at and at < $1", []string{"t"}},
	{"extract(year from at) = 2020 and a is distinct from b", "extract(year from at) = 2020 and a is distinct from b", nil},
	{"selected and tables and withal", "selected and tables and withal", nil},
	{"f(a := 1)", "f(a := 1)", nil},
	{"'a' = @a'b'", "'a' = $1'b'", []string{"a"}},
	{"u & 'x' = 1", "u & 'x' = 1", nil},
}

func TestFragment(t *testing.T) {
	t.Parallel()
	for _, tc := range accepted {
		got, err := Fragment(tc.text)
		require.NoError(t, err, tc.text)
		require.Equal(t, tc.names, got.Names, tc.text)
		require.Equal(t, tc.sql, got.SQL(got.Names))
		stays(t, tc.text)
	}
}

// Refused texts with the reasons. Most of them would end the parentheses, hide the
// text that follows, or be read differently by one of the servers.
var refused = []struct{ text, want string }{
	{"", "empty"},
	{" \n\t", "empty"},
	{"true) or (true", `at byte 4: ')' closes nothing`},
	{"true)", `closes nothing`},
	{")(", "closes nothing"},
	{"(true", `')' is missing`},
	{"a[1", `']' is missing`},
	{"(a[1)]", "closes nothing"},
	{"a]", "closes nothing"},
	{"{}", `'{' is for quotes only`},
	{"true --", "no comments"},
	{"true -- x\n", "no comments"},
	{"true /* x */", "no comments"},
	{"true /*", "no comments"},
	{"a @--b", "no comments"},
	{"a */* b", "no comments"},
	{"a *-- b", "no comments"},
	{"5--3", "no comments"},
	{"true;", "no ;"},
	{"true; drop table x", "no ;"},
	{"id in (select 1)", "no subquery: select"},
	{"id in (SeLeCt 1)", "no subquery: select"},
	{"exists(select*from x)", "no subquery: select"},
	{"array(table x) = a", "no subquery: table"},
	{"a in (values (1))", "no subquery: values"},
	{"exists (with x as (y) z)", "no subquery: with"},
	{"a = x::timestamp with time zone", "no subquery: with"},
	{"name = 'x", "a ' is missing"},
	{"name = '", "a ' is missing"},
	{"name = 'x''", "a ' is missing"},
	{`name = E'x\'`, "a ' is missing"},
	{`name = E'\`, "a ' is missing"},
	{`"x`, `a " is missing`},
	{`"x""`, `a " is missing`},
	{`name = '\' or true) --'`, `no \ before '`},
	{`name = 'x\'' or true'`, `no \ before '`},
	{`name = '\\'`, `no \ before '`},
	{"name = E'a'\n'b\\'", "two texts follow"},
	{"name = 'a'\n'b'", "two texts follow"},
	{"name = 'a' 'b'", "two texts follow"},
	{`name = b'\''`, "put a space between b and '"},
	{`name = B'1'`, "put a space between b and '"},
	{`name = x'ff'`, "put a space between x and '"},
	{`name = n'x'`, "put a space between n and '"},
	{`name = U&'\0027'`, "not in U&"},
	{`u&"a" = 1`, "not in U&"},
	{`ee'\'`, "put a space between ee and '"},
	{`e"x"`, `put a space between e and "`},
	{"$1 = 1", "no $"},
	{"a = $$x$$", "no $"},
	{"a = $t$) or true --$t$", "no $"},
	{"@a$b", "no $"},
	{"a =@x", "put a space before the @"},
	{"a=@x", "put a space before the @"},
	{"a <@x", "put a space before the @"},
	{"a @@x", "put a space before the @"},
	{"a@x", "put a space before the @"},
	{`"a"@x`, "put a space before the @"},
	{"'a'@x", "put a space before the @"},
	{"1@x", "put a space before the @"},
	{"f()@x", "put a space before the @"},
	{"a::@x", "put a space before the @"},
	{"@1", "begins with a letter"},
	{"1x", "runs into 'x'"},
	{"1e'x'", "runs into 'e'"},
	{"1'x'", `runs into '\''`},
	{`1."x"`, `runs into '"'`},
	{"0x1F", "runs into 'x'"},
	{"1_000", "runs into '_'"},
	{"a\u00a0= 1", `'\u00a0' is for quotes only`},
	{"größe = 1", `'ö' is for quotes only`},
	{"a ‘= 1", "is for quotes only"},
	{"a\v= 1", "is for quotes only"},
	{"`a` = 1", "is for quotes only"},
	{`a \ b`, "is for quotes only"},
	{"a\x00", "valid UTF-8"},
	{"'a\x00'", "valid UTF-8"},
	{"'\xff'", "valid UTF-8"},
}

func TestFragmentRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range refused {
		_, err := Fragment(tc.text)
		require.ErrorContains(t, err, tc.want, tc.text)
	}
}

func TestStatement(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"select * from a where b = @owner":                       "select * from a where b = $1",
		"\n WITH x AS (SELECT 1) DELETE FROM a WHERE b = @owner": "\n WITH x AS (SELECT 1) DELETE FROM a WHERE b = $1",
		"update a@{FORCE_INDEX=i} set b = 1":                     "update a@{FORCE_INDEX=i} set b = 1",
		"insert into a values (@owner, @x)":                      "insert into a values ($1, $2)",
	} {
		got, err := Statement(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.SQL(got.Names))
	}
	for text, want := range map[string]string{
		"":                             "empty",
		"select 1;":                    "no ;",
		"select 1; select 2":           "no ;",
		"select 1 -- x":                "no comments",
		"select 1 /* x */":             "no comments",
		"select (1":                    `')' is missing`,
		"select 1)":                    "closes nothing",
		"select a@{x":                  `'}' is missing`,
		"drop table a":                 "at byte 0: a statement begins with one of",
		"  truncate a":                 "at byte 2: a statement begins with one of",
		"(select 1)":                   "begins with one of",
		"values (1)":                   "begins with one of",
		"table a":                      "begins with one of",
		"begin":                        "begins with one of",
		"commit":                       "begins with one of",
		"set role admin":               "begins with one of",
		"explain analyze delete":       "begins with one of",
		"do 'x'":                       "begins with one of",
		"copy a to program 'x'":        "begins with one of",
		"@owner":                       "begins with one of",
		`"select" 1`:                   "begins with one of",
		"selects":                      "begins with one of",
		"update accounts@i set a = $1": "put a space before the @",
	} {
		_, err := Statement(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	got, err := Values([]string{"a", "b"}, map[string]any{"b": nil, "a": 1})
	require.NoError(t, err)
	require.Equal(t, []any{1, nil}, got)
	_, err = Values([]string{"b", "a"}, map[string]any{"c": 1, "b": 2, "A": 3})
	require.EqualError(t, err, `no argument for @a; no parameter for the argument "A"; no parameter for the argument "c"`)
}

// The reference detects the mistakes that it is written for.
func TestReference(t *testing.T) {
	t.Parallel()
	for text, hits := range map[string][3]bool{ // by dialect: whether it stays within its parentheses
		"true":                          {true, true, true},
		"true) or (true":                {},
		"true --":                       {},
		"(true":                         {},
		"true;":                         {},
		`a = '\' or true) or ('`:        {false, true, false},
		`a = b'\' or 1)'`:               {false, false, true},
		"a = E'x'\n'\\' or true) or ('": {true, true, true},
		"a = E'x' '\\' or true) or ('":  {false, true, false},
		"a = $x$ ) $x$":                 {true, true, true},
		"a = $x$ ) $y$":                 {},
		"a = U&'x)'":                    {true, true, true},
		"a = 'it''s)' and \"b)\" = '":   {},
	} {
		for i, d := range dialects {
			r := d.read("(" + text + ")")
			in := !r.open && !r.comment && !r.semicolon && slices.Equal(r.closes, []int{len(text) + 1})
			require.Equal(t, hits[i], in, "%s: %s", d.name, text)
		}
	}
}

// stays fails if a server would see the fragment end its own parentheses or hide the
// text that follows it.
func stays(t *testing.T, text string) {
	t.Helper()
	parsed, err := Fragment(text)
	if err != nil {
		return
	}
	sql := "(" + parsed.SQL(parsed.Names) + ")"
	for _, d := range dialects {
		r := d.read(sql)
		switch {
		case r.open, r.comment, r.semicolon:
			t.Fatalf("%s reads %q as %+v", d.name, sql, r)
		case !slices.Equal(r.closes, []int{len(sql) - 1}):
			t.Fatalf("%s closes %q at %v", d.name, sql, r.closes)
		}
		for _, word := range r.words {
			if slices.Contains(queries, word) {
				t.Fatalf("%s sees %s in %q", d.name, word, sql)
			}
		}
	}
	if len(parsed.Pieces) != len(parsed.Uses)+1 {
		t.Fatalf("%d pieces and %d parameters", len(parsed.Pieces), len(parsed.Uses))
	}
}

func FuzzFragment(f *testing.F) {
	for _, tc := range accepted {
		f.Add(tc.text)
	}
	for _, tc := range refused {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, text string) { stays(t, text) })
}

// Every short text of the relevant characters.
func TestEveryShortFragment(t *testing.T) {
	t.Parallel()
	pieces := []string{"(", ")", "'", `"`, `\`, "$", "e", "b", "u&", "-", "/", "*", "@", "a", "1", " ", "\n", ";", "[", "]", "select"}
	const longest = 4
	accepted := 0
	var grow func(text string, n int)
	grow = func(text string, n int) {
		stays(t, text)
		if _, err := Fragment(text); err == nil {
			accepted++
		}
		if n == longest {
			return
		}
		for _, p := range pieces {
			grow(text+p, n+1)
		}
	}
	grow("", 0)
	require.Greater(t, accepted, 1000)
}

func FuzzStatement(f *testing.F) {
	f.Add("select * from a where b = @owner")
	f.Add("delete from a@{x}")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Statement(text)
		if err != nil {
			return
		}
		sql := parsed.SQL(parsed.Names)
		for _, d := range dialects {
			if r := d.read(sql); r.open || r.comment || r.semicolon || strings.TrimSpace(sql) == "" {
				t.Fatalf("%s reads %q as %+v", d.name, sql, r)
			}
		}
	})
}
