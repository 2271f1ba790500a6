package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var bolaReference = &finding.Rule{
	ID: "RKP04", Name: "bola-reference", Severity: finding.Critical,
	Title: "A request may name an object of another principal in its body or query",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIAccess,
	Why: "The path is checked and the body is not: a transfer takes money from an account that the caller does not own, or a new " +
		"row refers to a row of somebody else.",
	Fix: "Check the owner of each object that a request names, or let a composite foreign key with the owner do it.",
	Silent: "Properties that are configured as recipients, or marked shared. Properties whose names say that somebody else is meant, " +
		"such as recipient, are only suspected.",
	Bad:       "update accounts set balance = balance - $2 where id = $1 -- id from the body",
	Good:      "update accounts set balance = balance - $2 where id = $1 and user_id = $3",
	Rowkeeper: "accounts.In(me).Update(from).Set(balance.Add(-amount)).Exec(ctx, tx)",
}

// others are words in names of properties that are meant to name somebody else's object.
var others = []string{"to", "recipient", "receiver", "payee", "beneficiary", "destination", "dest", "target", "counterparty", "invitee", "assignee", "member", "friend", "follow", "following"}

func meansOthers(name string) bool {
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return c == '_' || c == '-' || c == '/' }) {
		if slices.Contains(others, w) || strings.HasPrefix(w, "recipient") || strings.HasPrefix(w, "beneficiary") {
			return true
		}
	}
	return strings.HasPrefix(name, "to") && len(name) > 2 && name[2] >= 'A' && name[2] <= 'Z'
}

func (r *run) checkBolaReference() error {
	for _, a := range r.plan.Actions {
		if !a.Mutates() || r.bases[a] == nil || r.shared(a) || a.Kind == plan.Delete {
			continue
		}
		for _, s := range a.Slots {
			tokens := oas.Tokens(s.Name)
			name := s.Name
			if s.In == "body" {
				name = tokens[len(tokens)-1]
			}
			if s == a.Target || s.In == "path" || slices.Contains(r.opts.Probe.Recipients, name) || s.Schema != nil && s.Schema.Mark == "shared" {
				continue
			}
			if err := r.checkReference(a, s, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) checkReference(a *plan.Action, s *plan.Slot, name string) error {
	var both sides
	var evidence []finding.Evidence
	for _, victim := range r.who {
		b, list := r.base(a, r.other(victim)), r.owned(s.Resource, victim)
		if b == nil || len(list) == 0 {
			continue
		}
		o := list[0]
		d := r.again(b).filled(s, o)
		both.tried[victim.number] = true
		changes, resp, err := r.touched(d, victim, o)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			both.hit[victim.number] = true
			evidence = append(evidence, r.c.Evidence(d.request(), resp))
			evidence = append(evidence, r.notes(victim, changes)...)
			continue
		}
		refers, err := r.refers(d, resp, o)
		if err != nil {
			return err
		}
		if refers {
			both.hit[victim.number] = true
			evidence = append(evidence, r.c.Evidence(d.request(), resp))
		}
	}
	if len(evidence) == 0 {
		return nil
	}
	confidence := both.confidence()
	if meansOthers(name) {
		confidence = finding.Suspected
	}
	r.report(bolaReference, confidence, a, s.Name, fmt.Sprintf("%s accepts the %s of another principal in %s.", a, s.Resource.Name, name), evidence...)
	return nil
}

// refers reports whether an accepted request left an object of the caller's that refers
// to a foreign one.
func (r *run) refers(d *draft, resp *client.Response, foreign *object) (bool, error) {
	if !r.succeeded(d.action, resp) {
		return false, nil
	}
	made := r.learn(d, resp)
	if made == nil {
		made = d.uses[d.action.Target]
	}
	if made == nil {
		return false, nil
	}
	read := r.reader(made)
	if read == nil {
		return foreign.long() && canary.HasID(resp.JSON, foreign.key()), nil
	}
	again, err := r.send(read)
	if err != nil || !again.OK() {
		return false, err
	}
	return canary.HasID(again.JSON, foreign.key()) || hasNumber(again.JSON, d, foreign), nil
}

// hasNumber reports whether the member that was sent shows the foreign id, if ids are
// numbers.
func hasNumber(v any, d *draft, foreign *object) bool {
	view, _ := v.(map[string]any)
	for s, o := range d.uses {
		if o == foreign && s.In == "body" && at(view, s.Name) == foreign.id {
			return true
		}
		if o == foreign && s.In == "query" && view[s.Name] == foreign.id {
			return true
		}
	}
	return false
}
