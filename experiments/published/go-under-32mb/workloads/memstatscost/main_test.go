package main

import "testing"

func TestOnlyMemStatsStopsTheWorld(t *testing.T) {
	r := run(config{calls: 200, goroutines: 10, heap: 1 << 20})
	if r.MemStats.StopsPerCall == nil || r.Metrics.StopsPerCall == nil {
		t.Fatal("this Go does not count its stops")
	}
	if *r.MemStats.StopsPerCall != 1 || *r.Metrics.StopsPerCall != 0 {
		t.Errorf("stops: %v and %v", *r.MemStats.StopsPerCall, *r.Metrics.StopsPerCall)
	}
	if r.MemStats.MallocsPerCall > 0.5 {
		t.Errorf("mallocs: %v", r.MemStats.MallocsPerCall)
	}
	if r.MemStats.NsMedian <= 0 || r.Metrics.NsMedian <= 0 || r.MemStats.NsP99 < r.MemStats.NsMedian {
		t.Errorf("times: %+v", r)
	}
}
