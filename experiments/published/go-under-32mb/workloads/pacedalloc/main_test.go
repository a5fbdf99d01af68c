package main

import (
	"math"
	"testing"
	"time"
)

func TestModes(t *testing.T) {
	base := config{
		live: 8 << 20, rate: 200 << 20, object: 4 << 10, duration: time.Second,
		every: 200 * time.Millisecond, gogc: 100, fraction: 0.7, available: 10 << 30,
	}
	results := map[string]result{}
	for _, mode := range []string{"gogc", "limit", "dynamic"} {
		c := base
		c.mode = mode
		r, err := run(c)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.AllocatedRate/float64(c.rate)-1) > 0.2 {
			t.Errorf("%s: %.0f bytes/s instead of %d", mode, r.AllocatedRate, c.rate)
		}
		results[mode] = r
	}
	if r := results["gogc"]; r.GCs < 2 || r.MeanIntervalS == nil || r.MeanPauseS == nil || r.GCCPUFraction <= 0 {
		t.Errorf("gogc: %+v", r)
	}
	if r := results["limit"]; r.GCs != 0 || r.MeanIntervalS != nil || r.MeanPauseS != nil || len(r.Limits) != 1 {
		t.Errorf("limit: a mean of nothing is null: %+v", r)
	}
	if r := results["dynamic"]; len(r.Limits) < 3 || r.Limits[0] != int64(base.fraction*float64(base.available)) {
		t.Errorf("dynamic: %+v", r)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []config{{mode: "often", live: 1, object: 1}, {mode: "gogc"}} {
		if _, err := run(c); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
}
