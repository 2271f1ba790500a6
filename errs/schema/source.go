package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// on returns a copy of a rule for a constraint, for that table or with "" for any.
func on(r rules.Rule, table string) rules.Rule {
	r.Table = table
	if table == "" {
		r.Columns = nil // they are of no use without a table
	}
	return r
}

// head returns how a rule is made in Go. Constraint("t_pkey").On("t") is the same rule as
// PrimaryKey("t").
func head(r rules.Rule) string {
	if r.Table == "" || r.Constraint != r.Table+rules.PrimaryKeySuffix || len(r.Constraint) > rules.MaxIdentifierLength {
		return "errs." + r.Name()
	}
	return "errs.PrimaryKey(" + quoted(append([]string{r.Table}, r.Key...)) + ")"
}

func quoted(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, strconv.Quote(name))
	}
	return strings.Join(list, ", ")
}

// source returns a rule as it is written in Go.
func source(r rules.Rule) string {
	var b strings.Builder
	b.WriteString(head(r))
	if r.Columns != nil {
		b.WriteString(".Columns(" + quoted(r.Columns) + ")")
	}
	if p := r.Reply; p != nil {
		fmt.Fprintf(&b, ".Code(%q)", p.Code)
		if p.Field != "" {
			fmt.Fprintf(&b, ".Field(%q)", p.Field)
		}
		if p.Message != "" {
			fmt.Fprintf(&b, ".Message(%q)", p.Message)
		}
	}
	if r.Kinded {
		b.WriteString(".Kind(errs." + kindName(r.Kind) + ")")
	}
	if r.Status != 0 {
		fmt.Fprintf(&b, ".Status(%d)", r.Status)
	}
	if p := r.Missing; p != nil {
		fmt.Fprintf(&b, ".Missing(%q, %q, %q)", p.Code, p.Field, p.Message)
	}
	if p := r.InUse; p != nil {
		fmt.Fprintf(&b, ".InUse(%q, %q)", p.Code, p.Message)
	}
	return b.String()
}

// kindName returns the name of the constant: AlreadyExists for already_exists.
func kindName(k kind.Kind) string {
	var b strings.Builder
	for _, part := range strings.Split(k.Code(), "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// sources returns a rule on each line, ready for the arguments of errs.NewCatalog.
func sources(list []rules.Rule) string {
	var b strings.Builder
	for _, r := range list {
		b.WriteString(source(r) + ",\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
