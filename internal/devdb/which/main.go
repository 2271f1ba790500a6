// Command which prints the databases that tests will run on.
package main

import (
	"fmt"
	"os"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

func main() {
	sources, err := devdb.Find()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, s := range sources {
		fmt.Printf("Testing on %s\n", s)
	}
}
