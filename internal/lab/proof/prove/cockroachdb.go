package prove

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/sem/tree"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/sem/tree/treecmp"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/types"
)

// parseCockroachDB returns the statement as CockroachDB's grammar understands it.
func parseCockroachDB(sql string) (q *query, err error) {
	all, err := parser.Parse(sql)
	if err != nil {
		return nil, err
	}
	defer recovered(&err)
	if len(all) != 1 {
		fail("%d statements in one text", len(all))
	}
	return crStatement(all[0].AST), nil
}

func crStatement(s tree.Statement) *query {
	switch s := s.(type) {
	case *tree.Select:
		return crSelect(s)
	case *tree.ParenSelect:
		return crSelect(s.Select)
	case *tree.SelectClause, *tree.ValuesClause:
		return crSelect(&tree.Select{Select: s.(tree.SelectStatement)})
	case *tree.Insert:
		return crInsert(s)
	case *tree.Update:
		if s.OrderBy != nil || s.Limit != nil {
			fail("UPDATE with ORDER BY or LIMIT")
		}
		return &query{
			verb: "update", with: crWith(s.With), target: crSource(s.Table), set: crSet(s.Exprs),
			from: crSources(s.From), where: crWhere(s.Where), returning: crReturning(s.Returning),
		}
	case *tree.Delete:
		if s.OrderBy != nil || s.Limit != nil || s.Batch != nil {
			fail("DELETE with ORDER BY, LIMIT or BATCH")
		}
		return &query{
			verb: "delete", with: crWith(s.With), target: crSource(s.Table),
			from: crSources(s.Using), where: crWhere(s.Where), returning: crReturning(s.Returning),
		}
	}
	fail("a statement of the kind %T", s)
	return nil
}

func crSelect(s *tree.Select) *query {
	var q *query
	switch body := s.Select.(type) {
	case *tree.SelectClause:
		if body.DistinctOn != nil || body.Window != nil || body.TableSelect || body.From.AsOf.Expr != nil {
			fail("a select with DISTINCT ON, WINDOW, TABLE or AS OF SYSTEM TIME")
		}
		q = &query{
			verb: "select", distinct: body.Distinct, outputs: crOutputs(body.Exprs), from: crSources(body.From.Tables),
			where: crWhere(body.Where), groupBy: crExprs(tree.Exprs(body.GroupBy)), having: crWhere(body.Having),
		}
	case *tree.ValuesClause:
		q = &query{verb: "values"}
		for _, row := range body.Rows {
			q.rows = append(q.rows, crExprs(row))
		}
	case *tree.ParenSelect:
		if s.With == nil && s.OrderBy == nil && s.Limit == nil && s.Locking == nil {
			return crSelect(body.Select)
		}
		fail("parentheses around a select")
	default:
		fail("a select of the kind %T", body)
	}
	q.with = crWith(s.With)
	for _, o := range s.OrderBy {
		if o.OrderType != tree.OrderByColumn {
			fail("ORDER BY an index")
		}
		q.orderBy = append(q.orderBy, sorting{
			expr: crExpr(o.Expr), desc: o.Direction == tree.Descending,
			nulls: map[tree.NullsOrder]string{tree.NullsFirst: "first", tree.NullsLast: "last"}[o.NullsOrder],
		})
	}
	if l := s.Limit; l != nil {
		if l.Offset != nil || l.LimitAll {
			fail("OFFSET or LIMIT ALL")
		}
		q.limit = crExpr(l.Count)
	}
	for _, l := range s.Locking {
		switch l.Strength {
		case tree.ForUpdate:
			q.lock += " for update"
		case tree.ForShare:
			q.lock += " for share"
		case tree.ForKeyShare:
			q.lock += " for key share"
		default:
			fail("a lock of the strength %s", l.Strength)
		}
		for i := range l.Targets {
			q.lock += " of " + strconv.Quote(string(l.Targets[i].ObjectName))
		}
		q.lock += map[tree.LockingWaitPolicy]string{tree.LockWaitSkipLocked: " skip", tree.LockWaitError: " nowait"}[l.WaitPolicy]
	}
	return q
}

func crInsert(s *tree.Insert) *query {
	q := &query{
		verb: "insert", with: crWith(s.With), target: crSource(s.Table), columns: crNames(s.Columns),
		returning: crReturning(s.Returning),
	}
	if s.Rows == nil || s.Rows.Select == nil {
		fail("INSERT with DEFAULT VALUES")
	}
	q.input = crSelect(s.Rows)
	if c := s.OnConflict; c != nil {
		if c.Constraint != "" || c.ArbiterPredicate != nil || c.IsUpsertAlias() {
			fail("a conflict target that is no list of columns")
		}
		q.conflict = &conflict{target: crNames(c.Columns), nothing: c.DoNothing, set: crSet(c.Exprs), where: crWhere(c.Where)}
	}
	return q
}

func crWith(w *tree.With) (out []cte) {
	if w == nil {
		return nil
	}
	if w.Recursive {
		fail("a recursive WITH")
	}
	for _, c := range w.CTEList {
		one := cte{name: string(c.Name.Alias), query: crStatement(c.Stmt)}
		for _, col := range c.Name.Cols {
			one.columns = append(one.columns, string(col.Name))
		}
		out = append(out, one)
	}
	return out
}

func crNames(names tree.NameList) (out []string) {
	for _, n := range names {
		out = append(out, string(n))
	}
	return out
}

func crSet(exprs tree.UpdateExprs) (out []assignment) {
	for _, e := range exprs {
		if e.Tuple || len(e.Names) != 1 {
			fail("an assignment of several columns")
		}
		out = append(out, assignment{column: string(e.Names[0]), expr: crExpr(e.Expr)})
	}
	return out
}

func crOutputs(exprs tree.SelectExprs) (out []output) {
	for _, e := range exprs {
		out = append(out, output{expr: crExpr(e.Expr), as: string(e.As)})
	}
	return out
}

func crReturning(r tree.ReturningClause) []output {
	switch r := r.(type) {
	case *tree.NoReturningClause:
		return nil
	case *tree.ReturningExprs:
		return crOutputs(tree.SelectExprs(*r))
	}
	fail("a RETURNING of the kind %T", r)
	return nil
}

func crWhere(w *tree.Where) *expr {
	if w == nil {
		return nil
	}
	return crExpr(w.Expr)
}

func crSources(exprs tree.TableExprs) (out []*source) {
	for _, e := range exprs {
		out = append(out, crSource(e))
	}
	return out
}

func crSource(e tree.TableExpr) *source {
	switch e := e.(type) {
	case *tree.TableName:
		if e.ExplicitCatalog {
			fail("a table with a catalog")
		}
		s := &source{table: string(e.ObjectName)}
		if e.ExplicitSchema {
			s.schema = string(e.SchemaName)
		}
		return s
	case *tree.AliasedTableExpr:
		if e.IndexFlags != nil || e.Ordinality || e.Lateral || len(e.As.Cols) > 0 {
			fail("a table with index flags, ORDINALITY, LATERAL or columns")
		}
		s := crSource(e.Expr)
		s.alias = string(e.As.Alias)
		return s
	case *tree.Subquery:
		return &source{sub: crStatement(e.Select)}
	case *tree.ParenTableExpr:
		return crSource(e.Expr)
	case *tree.JoinTableExpr:
		if e.Hint != "" {
			fail("a join with a hint")
		}
		kind := map[string]string{"": "inner", "INNER": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full", "CROSS": "inner"}[e.JoinType]
		if kind == "" {
			fail("a join of the kind %s", e.JoinType)
		}
		s := &source{join: kind, left: crSource(e.Left), right: crSource(e.Right)}
		switch on := e.Cond.(type) {
		case nil:
		case *tree.OnJoinCond:
			s.on = crExpr(on.Expr)
		default:
			fail("a join condition of the kind %T", on)
		}
		return s
	}
	fail("a %T in FROM", e)
	return nil
}

func crExprs(exprs tree.Exprs) (out []*expr) {
	for _, e := range exprs {
		out = append(out, crExpr(e))
	}
	return out
}

func crExpr(e tree.Expr) *expr {
	switch e := e.(type) {
	case *tree.ParenExpr:
		return crExpr(e.Expr)
	case *tree.UnresolvedName:
		if e.Star || e.NumParts > 2 {
			fail("a star for columns, or a column with a schema")
		}
		out := &expr{kind: "column", text: e.Parts[0]}
		if e.NumParts == 2 {
			out.table = e.Parts[1]
		}
		return out
	case tree.UnqualifiedStar:
		return &expr{kind: "star"}
	case *tree.Placeholder:
		return &expr{kind: "param", num: int(e.Idx) + 1}
	case *tree.NumVal:
		return &expr{kind: "const", text: "i:" + e.String()}
	case *tree.StrVal:
		return &expr{kind: "const", text: "s:" + e.RawString()}
	case *tree.DBool:
		return &expr{kind: "const", text: "b:" + strconv.FormatBool(bool(*e))}
	case tree.DefaultVal:
		return &expr{kind: "default"}
	case *tree.AndExpr:
		return logic("and", crExpr(e.Left), crExpr(e.Right))
	case *tree.OrExpr:
		return logic("or", crExpr(e.Left), crExpr(e.Right))
	case *tree.NotExpr:
		return &expr{kind: "not", args: []*expr{crExpr(e.Expr)}}
	case *tree.IsNullExpr:
		return &expr{kind: "null", args: []*expr{crExpr(e.Expr)}}
	case *tree.IsNotNullExpr:
		return &expr{kind: "notnull", args: []*expr{crExpr(e.Expr)}}
	case *tree.ComparisonExpr:
		return crComparison(e)
	case *tree.BinaryExpr:
		return &expr{kind: "op", text: e.Operator.String(), args: []*expr{crExpr(e.Left), crExpr(e.Right)}}
	case *tree.Subquery:
		kind := "scalar"
		if e.Exists {
			kind = "exists"
		}
		return &expr{kind: kind, sub: crStatement(e.Select)}
	case *tree.FuncExpr:
		return crCall(e)
	case *tree.CoalesceExpr:
		return &expr{kind: "call", text: strings.ToLower(e.Name), args: crExprs(e.Exprs)}
	case *tree.CaseExpr:
		if e.Expr != nil {
			fail("CASE with an operand")
		}
		out := &expr{kind: "case"}
		for _, w := range e.Whens {
			out.args = append(out.args, crExpr(w.Cond), crExpr(w.Val))
		}
		if e.Else != nil {
			out.args = append(out.args, crExpr(e.Else))
		}
		return out
	case *tree.CastExpr:
		t, ok := e.Type.(*types.T)
		if !ok {
			fail("a cast to an odd type")
		}
		name := map[string]string{"INT8": "int8", "STRING": "text", "TEXT": "text", "FLOAT8": "float8", "FLOAT4": "float4"}[t.SQLString()]
		if name == "" {
			fail("a cast to %s", t.SQLString())
		}
		return &expr{kind: "cast", text: name, args: []*expr{crExpr(e.Expr)}}
	case *tree.Array:
		return &expr{kind: "array", args: crExprs(e.Exprs)}
	case *tree.Tuple:
		return &expr{kind: "row", args: crExprs(e.Exprs)}
	}
	if e == tree.DNull {
		return &expr{kind: "const", text: "null"}
	}
	fail("an expression of the kind %T", e)
	return nil
}

func crComparison(e *tree.ComparisonExpr) *expr {
	left := crExpr(e.Left)
	switch op := e.Operator.Symbol; op {
	case treecmp.In, treecmp.NotIn:
		list, ok := e.Right.(*tree.Tuple)
		if !ok {
			fail("IN with a %T", e.Right)
		}
		kind := "in"
		if op == treecmp.NotIn {
			kind = "notin"
		}
		return &expr{kind: kind, args: append([]*expr{left}, crExprs(list.Exprs)...)}
	case treecmp.Like:
		return &expr{kind: "like", args: []*expr{left, crExpr(e.Right)}}
	case treecmp.NE:
		return &expr{kind: "op", text: "<>", args: []*expr{left, crExpr(e.Right)}}
	case treecmp.EQ, treecmp.LT, treecmp.GT, treecmp.LE, treecmp.GE:
		return &expr{kind: "op", text: op.String(), args: []*expr{left, crExpr(e.Right)}}
	default:
		fail("the operator %s", op)
		return nil
	}
}

func crCall(e *tree.FuncExpr) *expr {
	if e.Filter != nil || e.WindowDef != nil || e.OrderBy != nil || e.AggType == tree.OrderedSetAgg {
		fail("a function with ORDER, FILTER or OVER")
	}
	name := strings.ToLower(e.Func.String())
	if name == "like_escape" && len(e.Exprs) == 3 {
		return &expr{kind: "like", args: crExprs(e.Exprs)}
	}
	out := &expr{kind: "call", text: name, args: crExprs(e.Exprs)}
	if e.Type == tree.DistinctFuncType {
		out.table = "distinct"
	}
	return out
}
