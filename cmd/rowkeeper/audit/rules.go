package audit

import "github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"

// checks are the rules with their code. A check reports to the pass, or says in unjudged
// why it cannot.
var checks = []struct {
	rule  *finding.Rule
	check func(*pass)
}{
	{ownerNullable, checkOwnerNullable},
	{ownerNoFK, checkOwnerNoFK},
	{ownerNotFirst, checkOwnerNotFirst},
	{crossOwnerFK, checkCrossOwnerFK},
	{globalUnique, checkGlobalUnique},
	{keyNotUnique, checkKeyNotUnique},
	{noIdentity, checkNoIdentity},
	{unboundedBalance, checkUnboundedBalance},
	{floatMoney, checkFloatMoney},
	{missingFK, checkMissingFK},
	{fkType, checkFKType},
	{unenforced, checkUnenforced},
	{rlsHole, checkRLSHole},
	{roleTooStrong, checkRoleTooStrong},
	{runningOut, checkRunningOut},
	{weakDurability, checkWeakDurability},
	{looseType, checkLooseType},
	{cardData, checkCardData},
}

// Rules returns the rules of this package.
func Rules() finding.Rules {
	rules := make(finding.Rules, len(checks))
	for i, r := range checks {
		rules[i] = r.rule
	}
	return rules
}
