package vet

import (
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

// requestMethods give a text that the client chose.
var requestMethods = map[string]bool{
	"net/http.Request.FormValue": true, "net/http.Request.PostFormValue": true, "net/http.Request.PathValue": true,
	"net/http.Header.Get": true, "net/url.Values.Get": true, "net/http.Request.Cookie": true, "net/http.Request.UserAgent": true,
	"github.com/gorilla/mux.Vars": true, "github.com/go-chi/chi.URLParam": true, "github.com/julienschmidt/httprouter.Params.ByName": true,
}

var contextTypes = map[string]bool{
	"github.com/gin-gonic/gin.Context": true, "github.com/labstack/echo.Context": true, "github.com/gofiber/fiber.Ctx": true,
}

var contextTexts = map[string]bool{
	"Query": true, "Param": true, "PostForm": true, "DefaultQuery": true, "DefaultPostForm": true, "GetHeader": true, "QueryParam": true,
	"FormValue": true, "Params": true, "Get": false, "Cookie": true, "GetQuery": true,
}

// fromRequest returns the name of the function by which a value came from the request,
// or "".
func fromRequest(u *unit, v ssa.Value) string {
	name := ""
	u.Depends(v, func(v ssa.Value) bool {
		call, ok := v.(*ssa.Call)
		if !ok {
			return false
		}
		fn := dbcall.Callee(call)
		if fn == nil {
			return false
		}
		full := dbcall.FullName(fn)
		if requestMethods[full] {
			name = full
		} else if recv := fn.Signature().Recv(); recv != nil && contextTypes[typeName(recv.Type())] && contextTexts[fn.Name()] {
			name = full
		}
		return name != ""
	})
	return name
}

func typeName(t types.Type) string {
	path, name := dbcall.Named(t)
	if path == "" {
		return name
	}
	return path + "." + name
}

// isRequest reports whether a value of the type stands for a request, and has its
// context.
func isRequest(t types.Type) bool {
	name := typeName(t)
	return name == "net/http.Request" || contextTypes[name]
}

func isNumber(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsNumeric|types.IsBoolean) != 0
}
