package probe

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// A check applies one rule to a run. One without a rule prepares what others need.
type check struct {
	rule   *finding.Rule
	writes bool // it cannot be judged by reads alone
	check  func(*run) error
}

// checks in the order in which they run: reads first, races last.
var checks = []check{
	{bolaRead, false, (*run).checkBolaRead},
	{listLeak, false, (*run).checkListLeak},
	{auth, false, (*run).checkAuth},
	{existence, false, (*run).checkExistence},
	{bolaWrite, true, (*run).checkBolaWrite},
	{bolaReference, true, (*run).checkBolaReference},
	{massAssign, true, (*run).checkMassAssign},
	{staleWrite, true, (*run).checkStaleWrite},
	{inputCrash, false, (*run).checkInput},
	{inputAccepted, true, (*run).checkAccepted},
	{partialEffect, true, (*run).checkPartial},
	{idempotent, true, (*run).checkIdempotent},
	{nil, true, (*run).checkOverload},
	{uniqueRace, true, (*run).checkUniqueRace},
	{lostUpdate, true, (*run).checkLostUpdate},
	{overspend, true, (*run).checkOverspend},
	{conflictCrash, true, (*run).checkConflict},
}

// passive are rules that looked at every answer of the run.
var passive = finding.Rules{hiddenField, errorLeak}

// Rules returns the rules of probe.
func Rules() finding.Rules {
	rules := slices.Clone(passive)
	for _, c := range checks {
		if c.rule != nil {
			rules = append(rules, c.rule)
		}
	}
	sorted, err := finding.Join(rules)
	if err != nil {
		panic(err) // a rule of this package is incomplete
	}
	return sorted
}
