package prove

import (
	"strconv"
	"strings"

	tree "github.com/pganalyze/pg_query_go/v6"
	grammar "github.com/wasilibs/go-pgquery"
)

// parsePostgreSQL returns the statement as PostgreSQL's grammar understands it.
func parsePostgreSQL(sql string) (q *query, err error) {
	result, err := grammar.Parse(sql)
	if err != nil {
		return nil, err
	}
	defer recovered(&err)
	if len(result.Stmts) != 1 {
		fail("%d statements in one text", len(result.Stmts))
	}
	return pgStatement(result.Stmts[0].Stmt), nil
}

func pgStatement(n *tree.Node) *query {
	switch n := n.Node.(type) {
	case *tree.Node_SelectStmt:
		return pgSelect(n.SelectStmt)
	case *tree.Node_InsertStmt:
		return pgInsert(n.InsertStmt)
	case *tree.Node_UpdateStmt:
		s := n.UpdateStmt
		return &query{
			verb: "update", with: pgWith(s.WithClause), target: pgTable(s.Relation), set: pgSet(s.TargetList),
			from: pgSources(s.FromClause), where: pgOptional(s.WhereClause), returning: pgOutputs(s.ReturningList),
		}
	case *tree.Node_DeleteStmt:
		s := n.DeleteStmt
		return &query{
			verb: "delete", with: pgWith(s.WithClause), target: pgTable(s.Relation),
			from: pgSources(s.UsingClause), where: pgOptional(s.WhereClause), returning: pgOutputs(s.ReturningList),
		}
	}
	fail("a statement of the kind %T", n.Node)
	return nil
}

func pgSelect(s *tree.SelectStmt) *query {
	if s.Op != tree.SetOperation_SETOP_NONE || s.IntoClause != nil || s.WindowClause != nil || s.GroupDistinct || s.LimitOffset != nil {
		fail("a select with UNION, INTO, WINDOW or OFFSET")
	}
	if s.LimitOption == tree.LimitOption_LIMIT_OPTION_WITH_TIES {
		fail("a limit with ties")
	}
	q := &query{
		verb: "select", with: pgWith(s.WithClause), outputs: pgOutputs(s.TargetList), from: pgSources(s.FromClause),
		where: pgOptional(s.WhereClause), groupBy: pgExprs(s.GroupClause), having: pgOptional(s.HavingClause), limit: pgOptional(s.LimitCount),
	}
	if len(s.DistinctClause) > 0 {
		if len(s.DistinctClause) > 1 || s.DistinctClause[0].Node != nil {
			fail("DISTINCT ON")
		}
		q.distinct = true
	}
	if len(s.ValuesLists) > 0 {
		q.verb = "values"
		for _, list := range s.ValuesLists {
			q.rows = append(q.rows, pgExprs(list.GetList().Items))
		}
	}
	for _, n := range s.SortClause {
		by := n.GetSortBy()
		q.orderBy = append(q.orderBy, sorting{
			expr:  pgExpr(by.Node),
			desc:  by.SortbyDir == tree.SortByDir_SORTBY_DESC,
			nulls: map[tree.SortByNulls]string{tree.SortByNulls_SORTBY_NULLS_FIRST: "first", tree.SortByNulls_SORTBY_NULLS_LAST: "last"}[by.SortbyNulls],
		})
	}
	for _, n := range s.LockingClause {
		l := n.GetLockingClause()
		switch l.Strength {
		case tree.LockClauseStrength_LCS_FORUPDATE:
			q.lock += " for update"
		case tree.LockClauseStrength_LCS_FORSHARE:
			q.lock += " for share"
		case tree.LockClauseStrength_LCS_FORKEYSHARE:
			q.lock += " for key share"
		default:
			fail("a lock of the strength %s", l.Strength)
		}
		for _, r := range l.LockedRels {
			q.lock += " of " + strconv.Quote(r.GetRangeVar().Relname)
		}
		q.lock += map[tree.LockWaitPolicy]string{tree.LockWaitPolicy_LockWaitSkip: " skip", tree.LockWaitPolicy_LockWaitError: " nowait"}[l.WaitPolicy]
	}
	return q
}

func pgInsert(s *tree.InsertStmt) *query {
	if s.Override > tree.OverridingKind_OVERRIDING_NOT_SET {
		fail("OVERRIDING")
	}
	q := &query{verb: "insert", with: pgWith(s.WithClause), target: pgTable(s.Relation), returning: pgOutputs(s.ReturningList)}
	for _, n := range s.Cols {
		q.columns = append(q.columns, pgTarget(n.GetResTarget()))
	}
	if s.SelectStmt == nil {
		fail("INSERT with DEFAULT VALUES")
	}
	q.input = pgStatement(s.SelectStmt)
	if c := s.OnConflictClause; c != nil {
		q.conflict = &conflict{nothing: c.Action == tree.OnConflictAction_ONCONFLICT_NOTHING, set: pgSet(c.TargetList), where: pgOptional(c.WhereClause)}
		if c.Infer != nil {
			if c.Infer.Conname != "" || c.Infer.WhereClause != nil {
				fail("a conflict target that is no list of columns")
			}
			for _, n := range c.Infer.IndexElems {
				if n.GetIndexElem().Expr != nil {
					fail("a conflict target that is an expression")
				}
				q.conflict.target = append(q.conflict.target, n.GetIndexElem().Name)
			}
		}
	}
	return q
}

func pgWith(w *tree.WithClause) (out []cte) {
	if w == nil {
		return nil
	}
	if w.Recursive {
		fail("a recursive WITH")
	}
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		out = append(out, cte{name: c.Ctename, columns: pgNames(c.Aliascolnames), query: pgStatement(c.Ctequery)})
	}
	return out
}

func pgNames(nodes []*tree.Node) (out []string) {
	for _, n := range nodes {
		s, ok := n.Node.(*tree.Node_String_)
		if !ok {
			fail("a %T in a name", n.Node)
		}
		out = append(out, s.String_.Sval)
	}
	return out
}

func pgTarget(t *tree.ResTarget) string {
	if len(t.Indirection) > 0 {
		fail("an indirection")
	}
	return t.Name
}

func pgSet(nodes []*tree.Node) (out []assignment) {
	for _, n := range nodes {
		t := n.GetResTarget()
		out = append(out, assignment{column: pgTarget(t), expr: pgExpr(t.Val)})
	}
	return out
}

func pgOutputs(nodes []*tree.Node) (out []output) {
	for _, n := range nodes {
		t := n.GetResTarget()
		out = append(out, output{as: pgTarget(t), expr: pgExpr(t.Val)})
	}
	return out
}

func pgTable(r *tree.RangeVar) *source {
	if r.Catalogname != "" || !r.Inh {
		fail("a table with a catalog, or ONLY")
	}
	return &source{schema: r.Schemaname, table: r.Relname, alias: pgAlias(r.Alias)}
}

func pgAlias(a *tree.Alias) string {
	if a == nil {
		return ""
	}
	if len(a.Colnames) > 0 {
		fail("an alias with columns")
	}
	return a.Aliasname
}

func pgSources(nodes []*tree.Node) (out []*source) {
	for _, n := range nodes {
		out = append(out, pgSource(n))
	}
	return out
}

func pgSource(n *tree.Node) *source {
	switch n := n.Node.(type) {
	case *tree.Node_RangeVar:
		return pgTable(n.RangeVar)
	case *tree.Node_RangeSubselect:
		if n.RangeSubselect.Lateral {
			fail("LATERAL")
		}
		return &source{sub: pgStatement(n.RangeSubselect.Subquery), alias: pgAlias(n.RangeSubselect.Alias)}
	case *tree.Node_JoinExpr:
		j := n.JoinExpr
		if j.IsNatural || len(j.UsingClause) > 0 || j.Alias != nil {
			fail("a join that is natural, has USING or an alias")
		}
		kind := map[tree.JoinType]string{
			tree.JoinType_JOIN_INNER: "inner", tree.JoinType_JOIN_LEFT: "left", tree.JoinType_JOIN_RIGHT: "right", tree.JoinType_JOIN_FULL: "full",
		}[j.Jointype]
		if kind == "" {
			fail("a join of the kind %s", j.Jointype)
		}
		return &source{join: kind, left: pgSource(j.Larg), right: pgSource(j.Rarg), on: pgOptional(j.Quals)}
	}
	fail("a %T in FROM", n.Node)
	return nil
}

func pgOptional(n *tree.Node) *expr {
	if n == nil {
		return nil
	}
	return pgExpr(n)
}

func pgExprs(nodes []*tree.Node) (out []*expr) {
	for _, n := range nodes {
		out = append(out, pgExpr(n))
	}
	return out
}

func pgExpr(n *tree.Node) *expr {
	switch n := n.Node.(type) {
	case *tree.Node_ColumnRef:
		fields := n.ColumnRef.Fields
		if len(fields) > 2 {
			fail("a column with a schema")
		}
		if fields[len(fields)-1].GetAStar() != nil {
			fail("a star for columns")
		}
		names := pgNames(fields)
		if len(names) == 2 {
			return &expr{kind: "column", table: names[0], text: names[1]}
		}
		return &expr{kind: "column", text: names[0]}
	case *tree.Node_ParamRef:
		return &expr{kind: "param", num: int(n.ParamRef.Number)}
	case *tree.Node_AConst:
		return pgConst(n.AConst)
	case *tree.Node_BoolExpr:
		args := pgExprs(n.BoolExpr.Args)
		switch n.BoolExpr.Boolop {
		case tree.BoolExprType_AND_EXPR:
			return logic("and", args...)
		case tree.BoolExprType_OR_EXPR:
			return logic("or", args...)
		default:
			return &expr{kind: "not", args: args}
		}
	case *tree.Node_NullTest:
		if n.NullTest.Nulltesttype == tree.NullTestType_IS_NULL {
			return &expr{kind: "null", args: []*expr{pgExpr(n.NullTest.Arg)}}
		}
		return &expr{kind: "notnull", args: []*expr{pgExpr(n.NullTest.Arg)}}
	case *tree.Node_AExpr:
		return pgOperator(n.AExpr)
	case *tree.Node_SubLink:
		s := n.SubLink
		switch {
		case s.SubLinkType == tree.SubLinkType_EXISTS_SUBLINK:
			return &expr{kind: "exists", sub: pgStatement(s.Subselect)}
		case s.SubLinkType == tree.SubLinkType_EXPR_SUBLINK && s.Testexpr == nil:
			return &expr{kind: "scalar", sub: pgStatement(s.Subselect)}
		}
		fail("a subquery of the kind %s", s.SubLinkType)
	case *tree.Node_FuncCall:
		f := n.FuncCall
		if f.AggOrder != nil || f.AggFilter != nil || f.Over != nil || f.AggWithinGroup || f.FuncVariadic {
			fail("a function with ORDER, FILTER or OVER")
		}
		names := pgNames(f.Funcname)
		e := &expr{kind: "call", text: strings.TrimPrefix(strings.Join(names, "."), "pg_catalog."), args: pgExprs(f.Args)}
		if f.AggStar {
			e.args = []*expr{{kind: "star"}}
		}
		if f.AggDistinct {
			e.table = "distinct"
		}
		return e
	case *tree.Node_CaseExpr:
		if n.CaseExpr.Arg != nil {
			fail("CASE with an operand")
		}
		e := &expr{kind: "case"}
		for _, w := range n.CaseExpr.Args {
			e.args = append(e.args, pgExpr(w.GetCaseWhen().Expr), pgExpr(w.GetCaseWhen().Result))
		}
		if n.CaseExpr.Defresult != nil {
			e.args = append(e.args, pgExpr(n.CaseExpr.Defresult))
		}
		return e
	case *tree.Node_TypeCast:
		t := n.TypeCast.TypeName
		if len(t.Typmods) > 0 || len(t.ArrayBounds) > 0 || t.Setof || t.PctType {
			fail("a cast to an odd type")
		}
		return &expr{kind: "cast", text: strings.TrimPrefix(strings.Join(pgNames(t.Names), "."), "pg_catalog."), args: []*expr{pgExpr(n.TypeCast.Arg)}}
	case *tree.Node_CoalesceExpr:
		return &expr{kind: "call", text: "coalesce", args: pgExprs(n.CoalesceExpr.Args)}
	case *tree.Node_SetToDefault:
		return &expr{kind: "default"}
	case *tree.Node_AArrayExpr:
		return &expr{kind: "array", args: pgExprs(n.AArrayExpr.Elements)}
	case *tree.Node_RowExpr:
		return &expr{kind: "row", args: pgExprs(n.RowExpr.Args)}
	}
	fail("an expression of the kind %T", n.Node)
	return nil
}

func pgConst(c *tree.A_Const) *expr {
	if c.Isnull {
		return &expr{kind: "const", text: "null"}
	}
	switch v := c.Val.(type) {
	case *tree.A_Const_Ival:
		return &expr{kind: "const", text: "i:" + strconv.Itoa(int(v.Ival.Ival))}
	case *tree.A_Const_Fval:
		return &expr{kind: "const", text: "i:" + v.Fval.Fval}
	case *tree.A_Const_Boolval:
		return &expr{kind: "const", text: "b:" + strconv.FormatBool(v.Boolval.Boolval)}
	case *tree.A_Const_Sval:
		return &expr{kind: "const", text: "s:" + v.Sval.Sval}
	}
	fail("a constant of the kind %T", c.Val)
	return nil
}

func pgOperator(a *tree.A_Expr) *expr {
	name := strings.Join(pgNames(a.Name), ".")
	switch a.Kind {
	case tree.A_Expr_Kind_AEXPR_OP:
		if a.Lexpr == nil {
			fail("the prefix operator %s", name)
		}
		return &expr{kind: "op", text: name, args: []*expr{pgExpr(a.Lexpr), pgExpr(a.Rexpr)}}
	case tree.A_Expr_Kind_AEXPR_IN:
		kind := "in"
		if name == "<>" {
			kind = "notin"
		}
		list, ok := a.Rexpr.Node.(*tree.Node_List)
		if !ok {
			fail("IN with a %T", a.Rexpr.Node)
		}
		return &expr{kind: kind, args: append([]*expr{pgExpr(a.Lexpr)}, pgExprs(list.List.Items)...)}
	case tree.A_Expr_Kind_AEXPR_LIKE:
		if name != "~~" {
			fail("the operator %s", name)
		}
		e := &expr{kind: "like", args: []*expr{pgExpr(a.Lexpr)}}
		right := pgExpr(a.Rexpr)
		if right.kind == "call" && right.text == "like_escape" {
			e.args = append(e.args, right.args...)
		} else {
			e.args = append(e.args, right)
		}
		return e
	}
	fail("an operator of the kind %s", a.Kind)
	return nil
}
