package exampled

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const library = `package lib

const (
	Red  = 1
	Blue = 2
)

// Thing is made by New.
type Thing struct{}

func New() *Thing { return nil }

func (*Thing) Use() {}

func (*Thing) Error() string { return "" }

func Unused() {}
`

const header = `package lib_test

import (
	"errors"

	"example.com/lib"
)

`

func TestCheck(t *testing.T) {
	t.Parallel()
	red := map[string]string{"Red": "they are alike"}
	all := func(more string) map[string]string {
		return map[string]string{"Red": "they are alike", "Unused": "it is old", more: "it is new"}
	}
	for name, c := range map[string]struct {
		example string
		exempt  map[string]string
		want    []string
	}{
		"nothing is shown": {"func ExampleNew() { _ = errors.New }", nil,
			[]string{"no example uses Red, Blue, Unused, New, Thing.Use, Thing"}},
		"a group is exempt":           {"func ExampleNew() { lib.New().Use() }", red, []string{"no example uses Unused"}},
		"each name is used":           {"func ExampleNew() { lib.New().Use(); lib.Unused() }", red, nil},
		"a function that it calls":    {"func use(t *lib.Thing) { t.Use(); lib.Unused() }\n\nfunc ExampleNew() { use(lib.New()) }\n\nfunc Example() {}", red, nil},
		"code that no example shows":  {"func use() { lib.Unused() }\n\nfunc ExampleNew() { lib.New().Use() }\n\nfunc Example() {}", red, []string{"no example uses Unused"}},
		"another package's name":      {"func ExampleNew() { lib.New().Use(); _ = errors.Unused }", red, []string{"no example uses Unused"}},
		"an exemption is not needed":  {"func ExampleNew() { lib.New() }", all("New"), []string{"no example uses Thing.Use", "the exemption of New is not needed"}},
		"a method is exempt":          {"func ExampleNew() { lib.New() }", all("Thing.Use"), nil},
		"a name that is nowhere":      {"func ExampleNew() { lib.New().Use(); lib.Unused() }\n\nfunc Example() { helper() }", red, []string{"Example uses another file of the package, so the page of the package shows it in part"}},
		"a package that is internal":  {"func ExampleNew() { lib.New().Use(); lib.Unused(); db.Open() }", red, []string{"ExampleNew imports example.com/internal/db, which users cannot"}},
		"a package by another name":   {"func ExampleNew() { other.New().Use(); other.Unused() }", red, nil},
		"an example of a single file": {"var t = lib.New()\n\nfunc ExampleNew() { t.Use(); lib.Unused() }", red, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := header
			switch name {
			case "a package that is internal":
				source += "import \"example.com/internal/db\"\n\n"
			case "a package by another name":
				source += "import other \"example.com/lib\"\n\n"
			}
			problems, names, err := check(fstest.MapFS{
				"lib.go":          {Data: []byte(library)},
				"example_test.go": {Data: []byte(source + c.example + "\n")},
			}, "example.com/lib", c.exempt)
			require.NoError(t, err)
			require.Equal(t, 6, names)
			require.Equal(t, c.want, problems)
		})
	}
}
