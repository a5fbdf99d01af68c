package main

import (
	"testing"
	"time"
)

func TestMemoryGoesBackWithinSeconds(t *testing.T) {
	r := run(64<<20, 2*time.Second)
	if r.FirstAfterS == nil || *r.FirstAfterS > 2 || r.Released == 0 {
		t.Errorf("%+v", r)
	}
}
