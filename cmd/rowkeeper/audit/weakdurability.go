package audit

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var weakDurability = &finding.Rule{
	ID: "RKA16", Name: "weak-durability", Severity: finding.Medium,
	Title: "Committed rows can be lost",
	CWE:   []int{693}, PCI: finding.PCIData,
	Why: "With synchronous_commit off, a crash loses transactions that clients were told are committed. With fsync or full_page_writes off " +
		"it can destroy the whole database. An UNLOGGED table is empty after a crash, and its foreign keys and owners are no protection.",
	Fix: "Reset the setting; SET LOGGED.",
	Silent: "Databases for tests, if the options say so. UNLOGGED tables without an owner and without foreign keys, such as caches. What only " +
		"this connection has set.",
	Bad:  "alter role service set synchronous_commit = off;",
	Good: "alter role service reset synchronous_commit;",
}

func checkWeakDurability(p *pass) {
	switch {
	case p.Cockroach():
		p.unjudged = "CockroachDB has no such settings"
		return
	case p.opts.TestDatabase:
		p.unjudged = "the data of a test database may be lost"
		return
	}
	for _, s := range p.Settings {
		statement, ok := reset(s, p.Catalog)
		if s.Value != "off" || !ok {
			continue
		}
		r := p.reportObject(finding.Strong, "setting "+s.Name, "The server has %s off.", s.Name)
		r.sql(statement, "select pg_reload_conf()")
		if s.Name != "synchronous_commit" {
			r.Severity = finding.High
		}
	}
	if p.Role != nil && p.Role.WeakDurability {
		p.reportObject(finding.Strong, "role "+p.Role.Name, "The service's role %s has synchronous_commit off.", p.Role.Name).
			sql("alter role " + catalog.Quote(p.Role.Name) + " reset synchronous_commit")
	}
	for t := range p.tables {
		if t.Unlogged && (p.owners.owned(t) || len(t.ForeignKeys) > 0) {
			p.report(finding.Strong, t, nil, "%s is UNLOGGED: it is empty after a crash.", t.Name).sql(alter(t, "set logged"))
		}
	}
}

// reset returns the statement that undoes a setting, by where it was made. What the
// connection itself has set is no one else's.
func reset(s *catalog.Setting, c *catalog.Catalog) (string, bool) {
	switch s.Source {
	case "session", "client", "default":
		return "", false
	case "database":
		return "alter database " + catalog.Quote(c.Database) + " reset " + s.Name, true
	case "user":
		return "alter role " + catalog.Quote(c.User) + " reset " + s.Name, true
	case "database user":
		return "alter role " + catalog.Quote(c.User) + " in database " + catalog.Quote(c.Database) + " reset " + s.Name, true
	}
	return "alter system set " + s.Name + " = on", true
}
