package schema

import (
	"regexp"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

// checkRowSecurity checks the second wall: everything that RLS makes if that was requested,
// and otherwise whether the existing row-level security is consistent.
func (v *verification) checkRowSecurity() error {
	var requested []subject
	for _, s := range v.subjects {
		if s.rls {
			requested = append(requested, s)
		}
	}
	var required []policy
	if len(requested) > 0 {
		var err error
		if required, err = v.live.requiredPolicies(v.existing(requested)); err != nil {
			return err
		}
	}
	var protected []*liveTable
	for i, p := range required {
		if i == 0 || required[i-1].live != p.live {
			protected = append(protected, p.live)
			v.checkWall(p)
			v.checkPolicies(p.live, slices.DeleteFunc(slices.Clone(required), func(w policy) bool { return w.live != p.live }))
		}
	}
	for _, t := range v.declared() {
		if l := v.live.find(t); l != nil && !l.IsView() && !slices.Contains(protected, l) {
			v.checkHalfWall(t, l)
		}
	}
	if len(requested) > 0 {
		v.checkRoles()
		v.checkViews(protected)
	}
	return nil
}

// existing removes declarations whose table is missing, which is a finding of its own,
// or is a view, which has no wall.
func (v *verification) existing(subjects []subject) []subject {
	return slices.DeleteFunc(subjects, func(s subject) bool {
		return slices.ContainsFunc(declaredBy([]subject{s}), func(t *table) bool {
			l := v.live.find(t)
			return l == nil || l.IsView() || !has(l, ownerColumns(t))
		})
	})
}

func (v *verification) checkWall(p policy) {
	l, t := p.live, p.of
	if !l.RowSecurity {
		v.report(Exposed, t.Name, l.Name, []string{enable(p.quoted)}, "row-level security is off")
	}
	if !l.Forced {
		v.report(Exposed, t.Name, l.Name, []string{force(p.quoted)}, "row-level security is not forced, so the table's owner goes around it")
	}
	for _, c := range v.live.Children(l) {
		quoted, plain := v.live.nameOf(c)
		if !c.RowSecurity {
			v.report(Exposed, plain, c.Name, []string{enable(quoted)}, "it is a part of %s and can be read by its own name, without the policies of that", t.Name)
		}
		if !c.Forced {
			v.report(Exposed, plain, c.Name, []string{force(quoted)}, "it is a part of %s and can be read by the table's owner by its own name, without the policies of that", t.Name)
		}
		v.checkPolicies(c, nil)
	}
	switch {
	case l.Owned && !v.bypasses(v.live.User):
		v.report(Advice, t.Name, v.live.User, nil, "the role owns the table, so it can switch the policies off, and TRUNCATE; let another role own it")
	case l.Truncates && !v.bypasses(v.live.User):
		v.report(Exposed, t.Name, v.live.User, []string{"revoke truncate on " + p.quoted + " from public, " + quotedList([]string{v.live.User}) + ";"},
			"the role can TRUNCATE it, which no policy keeps from the rows of others")
	}
}

// checkPolicies compares the policies of a table with the required ones.
func (v *verification) checkPolicies(l *liveTable, required []policy) {
	quoted, plain := v.live.nameOf(l)
	for _, w := range required {
		plain, quoted = w.of.Name, w.quoted
		i := slices.IndexFunc(l.Policies, func(p *livedb.Policy) bool { return p.Name == w.name })
		switch {
		case i < 0:
			v.report(Broken, plain, w.name, w.create(), "there is no such policy, so its rows are not seen by those whose they are")
		case !v.live.matches(w, l.Policies[i]):
			v.report(Exposed, plain, w.name, w.create(), "the policy is another than the declaration asks for")
		}
	}
	for _, p := range l.Policies {
		if p.Permissive && !slices.ContainsFunc(required, func(w policy) bool { return w.name == p.Name }) {
			v.report(Exposed, plain, p.Name, []string{"drop policy " + quotedList([]string{p.Name}) + " on " + quoted + ";"},
				"the policy lets rows through that the declaration does not; make it restrictive, or declare what it is for")
		}
	}
}

// matches compares a policy with the text that the server stores for it.
func (l *liveSchema) matches(w policy, p *livedb.Policy) bool {
	command, check := "*", w.rows
	if w.command == "select" {
		command, check = "r", ""
	}
	return p.Permissive && p.ForAll && p.Command == command && l.normalized(p.Using) == l.normalized(w.rows) && l.normalized(p.Check) == l.normalized(check)
}

var (
	casts  = regexp.MustCompile(`::("[^"]*"|\w+)(\."[^"]*"|\.\w+)?( varying)?`)
	blanks = regexp.MustCompile(`[\s()]+`)
	marks  = regexp.MustCompile(` ?([,=]) ?`)
)

// normalized removes what the server writes in its own way: parentheses, quotes, casts,
// and schemas. Required policies have neither OR nor NOT, whose meaning this could
// change.
func (l *liveSchema) normalized(text string) string {
	text = strings.ReplaceAll(casts.ReplaceAllString(text, ""), `"`, "")
	text = strings.ToLower(blanks.ReplaceAllString(" "+text+" ", " "))
	for _, t := range l.Tables {
		text = strings.ReplaceAll(text, " "+strings.ToLower(t.Schema)+".", " ")
	}
	return marks.ReplaceAllString(text, "$1")
}

func (v *verification) bypasses(role string) bool {
	return slices.ContainsFunc(v.live.Roles, func(r *livedb.Role) bool { return r.Name == role && (r.Super || r.Bypass) })
}

// checkHalfWall checks tables for which no wall was requested.
func (v *verification) checkHalfWall(t *table, l *liveTable) {
	if !l.RowSecurity {
		if len(l.Policies) > 0 {
			v.report(Exposed, t.Name, l.Policies[0].Name, []string{enable(t.Quoted)}, "it has policies, but row-level security is off, so they do nothing")
		}
		return
	}
	if !l.Forced && l.Owned {
		v.report(Exposed, t.Name, l.Name, []string{force(t.Quoted)}, "row-level security is on but not forced, and the role owns the table, so it goes around the policies")
	}
	if !slices.ContainsFunc(l.Policies, func(p *livedb.Policy) bool { return p.Permissive }) {
		sql := []string{"alter table " + t.Quoted + " disable row level security;"}
		if p, err := v.live.policyOf(t); err == nil && !t.Shared {
			sql = p.create()
		}
		v.report(Broken, t.Name, l.Name, sql, "row-level security is on without a policy that lets rows through, so nobody sees any")
	}
	for _, p := range l.Policies {
		if p.Permissive && !t.Shared && (p.Using == "true" || p.Check == "true") {
			v.report(Exposed, t.Name, p.Name, []string{"drop policy " + quotedList([]string{p.Name}) + " on " + t.Quoted + ";"},
				"the policy is always true, so it lets all rows through")
		}
	}
}

func (v *verification) checkRoles() {
	for _, r := range v.live.Roles {
		how := ""
		if r.Name != v.live.User {
			how = ", and RESET ROLE leads back to it"
		}
		if r.Super {
			v.report(Exposed, "", r.Name, []string{"alter role " + quotedList([]string{r.Name}) + " nosuperuser;"}, "the role is a superuser, for whom no policy holds%s", how)
		}
		if r.Bypass {
			v.report(Exposed, "", r.Name, []string{"alter role " + quotedList([]string{r.Name}) + " nobypassrls;"}, "the role has BYPASSRLS, so no policy holds for it%s", how)
		}
	}
}

// checkViews finds views that read a table with the rights of a role to which its
// policies do not apply.
func (v *verification) checkViews(protected []*liveTable) {
	for _, view := range v.live.Views {
		l, of := v.live.ByID(view.View), v.live.ByID(view.Of)
		if l == nil || !slices.Contains(protected, of) || !view.Bypasses || !view.Reads || l.Invoker {
			continue
		}
		quoted, plain := v.live.nameOf(l)
		_, name := v.live.nameOf(of)
		sql := "alter view " + quoted + " set (security_invoker = true);"
		if l.Kind == "m" || strings.HasPrefix(v.live.Version, "PostgreSQL 14.") { // PostgreSQL 14 has no such views
			sql = "revoke select on " + quoted + " from public, " + quotedList([]string{v.live.User}) + ";"
		}
		v.report(Exposed, plain, l.Name, []string{sql}, "the view reads %s with the rights of its owner, for whom no policy holds", name)
	}
}
