package catalog

import "testing"

func TestVersionNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu":  150018,
		"PostgreSQL 18beta1 on x86_64":                                      180000,
		"CockroachDB CCL v21.1.2 (x86_64-unknown-linux-gnu, built 2021)":    210102,
		"CockroachDB CCL v25.2.0-rc.1 (x86_64-pc-linux-gnu, built 2025/05)": 250200,
		"something else": 0,
	} {
		if got := versionNumber(text); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"users": "users", "user": `"user"`, "Users": `"Users"`, "2nd": `"2nd"`, "a b": `"a b"`, `a"b`: `"a""b"`, "": `""`, "order_2": "order_2",
	} {
		if got := Quote(name); got != want {
			t.Errorf("Quote(%q) = %s, want %s", name, got, want)
		}
	}
	if got := Qualified("my schema", "t"); got != `"my schema".t` {
		t.Errorf("got %s", got)
	}
}

func TestTakesFrom(t *testing.T) {
	t.Parallel()
	s := &Sequence{Schema: "public", Name: "a_seq"}
	for expression, want := range map[string]bool{
		"nextval('a_seq'::regclass)": true, "nextval('public.a_seq'::REGCLASS)": true, "nextval('db.public.a_seq':::STRING)": true,
		`nextval('public."a_seq"'::regclass)`: true, "nextval('other.a_seq'::regclass)": false, "nextval('aa_seq')": false, "1": false,
	} {
		if got := takesFrom(expression, "public", s); got != want {
			t.Errorf("%s: %v", expression, got)
		}
	}
	if takesFrom("nextval('a_seq'::regclass)", "other", s) {
		t.Error("a sequence of another schema was taken")
	}
}
