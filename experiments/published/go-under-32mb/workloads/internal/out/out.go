// Package out prints the one JSON document of a workload that runs to its end.
package out

import (
	"encoding/json"
	"fmt"
	"os"
)

// Print writes v to stdout.
func Print(v any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		Fail(err)
	}
}

// Fail says why there is no result, and ends the program.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
