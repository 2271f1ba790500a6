package vet

import (
	"go/types"
	"regexp"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

var rule06 = &finding.Rule{
	ID: "RKV06", Name: "retried-effect", Severity: finding.High, CWE: []int{837}, PCI: finding.PCILogic,
	Title: "A function that is retried has an effect that a rollback does not undo",
	Why: "After a conflict the function runs again: the message is sent twice, the list has each element twice, and all of it " +
		"also happens if the transaction is rolled back in the end. Medium for state of the process.",
	Fix:       "Do it after the commit, or assign a value that each attempt makes anew.",
	Silent:    "For runners that do not retry, plain assignments, counters of attempts, and state that the function resets first.",
	Bad:       "err := crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {\n\tids = append(ids, id)\n\treturn mail.Send(…)\n})",
	Good:      "err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {\n\ttx.OnCommit(func(ctx context.Context) { mail.Send(…) })\n\treturn nil\n})",
	Rowkeeper: "Tx.OnCommit",
}

func retriedEffect(u *unit) {
	for fn, run := range retried(u) {
		effectsIn(u, fn)
		if run.Callback == fn {
			stateIn(u, fn, fn)
		}
	}
}

// effectsIn reports calls and sends that reach beyond the database.
func effectsIn(u *unit, fn *ssa.Function) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			switch instr := instr.(type) {
			case *ssa.Send:
				if !madeWithin(u, instr.Chan, fn) {
					u.reportAt(fn, instr.Pos(), instr.Pos(), "the function is retried, and sends on a channel each time")
				}
			case ssa.CallInstruction:
				if what := effect(dbcall.Callee(instr)); what != "" {
					u.report(instr, "the function is retried, and "+what+" each time")
				}
			}
		}
	}
	for _, inner := range fn.AnonFuncs {
		if calledHere(u, inner) {
			effectsIn(u, inner)
		}
	}
}

// madeWithin reports whether a channel is made by each attempt.
func madeWithin(u *unit, channel ssa.Value, fn *ssa.Function) bool {
	made, ok := u.Trace(channel).Root.(*ssa.MakeChan)
	return ok && made.Parent() == fn
}

// calledHere reports whether a function literal is called, or deferred, where it is
// made: it is not one that runs after the commit.
func calledHere(u *unit, fn *ssa.Function) bool {
	if u.RunOf[fn] != nil {
		return false
	}
	for _, block := range fn.Parent().Blocks {
		for _, instr := range block.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if u.Function(call.Common().Value) == fn {
				return true
			}
		}
	}
	return false
}

var effects = map[string]string{
	"net/http.Get": "makes an HTTP request", "net/http.Post": "makes an HTTP request", "net/http.PostForm": "makes an HTTP request",
	"net/http.Head": "makes an HTTP request", "net/http.Client.Do": "makes an HTTP request", "net/http.Client.Get": "makes an HTTP request",
	"net/http.Client.Post": "makes an HTTP request", "net/http.Client.PostForm": "makes an HTTP request",
	"net/http.Client.Head": "makes an HTTP request", "net/http.RoundTripper.RoundTrip": "makes an HTTP request",
	"net/smtp.SendMail": "sends mail", "net/smtp.Client.Mail": "sends mail",
	"time.Sleep": "sleeps", "os/exec.Cmd.Run": "runs a program", "os/exec.Cmd.Output": "runs a program",
	"net/http.ResponseWriter.Write": "writes to the client", "net/http.ResponseWriter.WriteHeader": "writes to the client",
	"net/http.Error": "writes to the client", "os.WriteFile": "writes a file", "os.Remove": "removes a file",
}

var publishing = map[string]bool{
	"Publish": true, "PublishWithContext": true, "PublishAsync": true, "SendMail": true, "SendEmail": true, "SendMessage": true,
	"SendMessages": true, "WriteMessages": true, "DialAndSend": true, "SendSMS": true,
}

// effect says what a function does outside of the database, or "".
func effect(fn *types.Func) string {
	if fn == nil {
		return ""
	}
	if what, ok := effects[dbcall.FullName(fn)]; ok {
		return what
	}
	sig := fn.Signature()
	if !publishing[fn.Name()] || sig.Recv() == nil {
		return ""
	}
	for i := range sig.Params().Len() {
		switch dbcall.ClassOf(sig.Params().At(i).Type()) {
		case dbcall.Tx, dbcall.Either:
			return "" // an outbox
		}
	}
	return "calls " + strings.TrimPrefix(typeName(sig.Recv().Type())+"."+fn.Name(), ".")
}

var attemptName = regexp.MustCompile(`(?i)attempt|tries|try|retr|runs|calls`)

// stateIn reports captured state that a function, which is callback or within it,
// changes depending on what it was.
func stateIn(u *unit, callback, fn *ssa.Function) {
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			store, ok := instr.(*ssa.Store)
			if !ok {
				continue
			}
			name, outside := outer(u, store.Addr, callback)
			if !outside || attemptName.MatchString(name) {
				continue
			}
			what := grows(u, store)
			if what == "" || resets(u, callback, store) {
				continue
			}
			u.reportAt(fn, store.Pos(), store.Pos(), "the function is retried, and "+what+" "+name+" each time", severity(finding.Medium))
		}
	}
	for _, inner := range fn.AnonFuncs {
		if calledHere(u, inner) {
			stateIn(u, callback, inner)
		}
	}
}

// outer returns the name of the variable that an address is of, and whether it lives
// outside of the callback.
func outer(u *unit, addr ssa.Value, callback *ssa.Function) (string, bool) {
	root := u.TraceAddr(addr)
	path := u.Trace(addr)
	name := strings.TrimPrefix(path.Fields, ".")
	switch root := root.(type) {
	case *ssa.Global:
		return root.Name(), true
	case *ssa.FreeVar:
		return root.Name(), true
	case *ssa.Alloc:
		if within(root.Parent(), callback) {
			return "", false
		}
		if name == "" {
			name = root.Comment
		}
		return name, true
	case *ssa.Parameter:
		if within(root.Parent(), callback) {
			return "", false
		}
		return strings.TrimPrefix(root.Name()+"."+name, "."), true
	}
	return "", false
}

func within(fn, callback *ssa.Function) bool {
	for ; fn != nil; fn = fn.Parent() {
		if fn == callback {
			return true
		}
	}
	return false
}

// grows says how an assignment depends on what the variable was, or "".
func grows(u *unit, store *ssa.Store) string {
	same := func(v ssa.Value) bool {
		load, ok := v.(*ssa.UnOp)
		return ok && load.Op.String() == "*" && sameAddr(u, load.X, store.Addr)
	}
	switch val := store.Val.(type) {
	case *ssa.Call:
		if b, ok := val.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" && u.Depends(val.Call.Args[0], same) {
			return "appends to"
		}
	case *ssa.BinOp:
		if same(val.X) || same(val.Y) {
			if op := val.Op.String(); op == "+" || op == "-" || op == "*" {
				return "adds to"
			}
		}
	}
	return ""
}

func sameAddr(u *unit, a, b ssa.Value) bool {
	if a == b {
		return true
	}
	if u.TraceAddr(a) != u.TraceAddr(b) {
		return false
	}
	_, freeA := a.(*ssa.FreeVar)
	_, freeB := b.(*ssa.FreeVar)
	if freeA || freeB {
		return freeA && freeB
	}
	return u.Trace(a) == u.Trace(b)
}

// resets reports whether the callback assigns the variable anew before.
func resets(u *unit, callback *ssa.Function, grown *ssa.Store) bool {
	for _, block := range callback.Blocks {
		for _, instr := range block.Instrs {
			store, ok := instr.(*ssa.Store)
			if !ok || store == grown || grows(u, store) != "" {
				continue
			}
			if u.TraceAddr(store.Addr) == u.TraceAddr(grown.Addr) && (store.Parent() != grown.Parent() || dbcall.Reaches(store, grown, nil)) {
				return true
			}
		}
	}
	return false
}
