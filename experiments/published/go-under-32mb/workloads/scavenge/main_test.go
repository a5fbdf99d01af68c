package main

import (
	"testing"
	"time"
)

func TestMemoryGoesBackWithinSeconds(t *testing.T) {
	// the scavenger yields to everything else: a busy machine may starve it for a while
	var r result
	for range 5 {
		if r = run(64<<20, 2*time.Second); r.FirstAfterS != nil && r.Released > 0 {
			return
		}
	}
	t.Errorf("%+v", r)
}
