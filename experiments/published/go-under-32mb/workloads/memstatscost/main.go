// Command memstatscost says what one call of runtime.ReadMemStats costs, beside
// the same figures from runtime/metrics.
//
//	memstatscost -calls 2000 -goroutines 100 -heap 33554432
//
// Stops of the world are counted by the runtime itself, in the histogram
// /sched/pauses/total/other:seconds (Go 1.22 and later; null before). Prints JSON.
package main

import (
	"flag"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"workloads/internal/out"
)

type config struct{ calls, goroutines, heap int }

type result struct {
	Calls      int    `json:"calls"`
	Goroutines int    `json:"goroutines"`
	HeapBytes  int    `json:"heap_bytes"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	GoVersion  string `json:"go_version"`
	MemStats   cost   `json:"memstats"`
	Metrics    cost   `json:"metrics"`
	// Ratio of the two medians.
	Ratio float64 `json:"memstats_over_metrics"`
}

type cost struct {
	NsMean   float64 `json:"ns_mean"`
	NsMedian float64 `json:"ns_median"`
	NsP99    float64 `json:"ns_p99"`
	NsMax    float64 `json:"ns_max"`
	// MallocsPerCall and BytesPerCall are of the heap.
	MallocsPerCall float64 `json:"mallocs_per_call"`
	BytesPerCall   float64 `json:"bytes_per_call"`
	// StopsPerCall is the number of stop-the-world pauses; null where unknown.
	StopsPerCall *float64 `json:"stw_per_call"`
}

func main() {
	var c config
	flag.IntVar(&c.calls, "calls", 2000, "how many of each")
	flag.IntVar(&c.goroutines, "goroutines", 100, "parked meanwhile")
	flag.IntVar(&c.heap, "heap", 32<<20, "bytes of small objects kept meanwhile")
	flag.Parse()
	out.Print(run(c))
}

func run(c config) result {
	end := make(chan struct{})
	defer close(end)
	for range c.goroutines {
		go func() { <-end }()
	}
	kept := make([]*[64]byte, c.heap/64)
	for i := range kept {
		kept[i] = new([64]byte)
	}
	runtime.GC()

	var m runtime.MemStats
	samples := []metrics.Sample{ // what the article exports, without stopping the world
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples) // the first call builds the runtime's own tables
	r := result{
		Calls: c.calls, Goroutines: c.goroutines, HeapBytes: c.heap,
		GOMAXPROCS: runtime.GOMAXPROCS(0), GoVersion: runtime.Version(),
		MemStats: measure(c.calls, func() { runtime.ReadMemStats(&m) }),
		Metrics:  measure(c.calls, func() { metrics.Read(samples) }),
	}
	r.Ratio = r.MemStats.NsMedian / r.Metrics.NsMedian
	runtime.KeepAlive(kept)
	return r
}

func measure(calls int, call func()) cost {
	took := make([]float64, calls)
	var before, after runtime.MemStats
	stopsBefore := stops()
	runtime.ReadMemStats(&before)
	for i := range took {
		start := time.Now()
		call()
		took[i] = float64(time.Since(start).Nanoseconds())
	}
	runtime.ReadMemStats(&after)
	stopsAfter := stops()

	n := float64(calls)
	var c cost
	for _, ns := range took {
		c.NsMean += ns / n
	}
	slices.Sort(took)
	c.NsMedian, c.NsP99, c.NsMax = took[calls/2], took[calls*99/100], took[calls-1]
	c.MallocsPerCall = float64(after.Mallocs-before.Mallocs) / n
	c.BytesPerCall = float64(after.TotalAlloc-before.TotalAlloc) / n
	if stopsBefore != nil && stopsAfter != nil {
		perCall := (*stopsAfter - *stopsBefore - 2) / n // two are those of before and after
		c.StopsPerCall = &perCall
	}
	return c
}

// stops counts the pauses that were not for a garbage collection.
func stops() *float64 {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	var n float64
	for _, count := range sample[0].Value.Float64Histogram().Counts {
		n += float64(count)
	}
	return &n
}
