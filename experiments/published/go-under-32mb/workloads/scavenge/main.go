// Command scavenge frees most of its heap and watches how the runtime gives the
// memory back by itself: when first, how often, how much.
//
//	scavenge -bytes 268435456 -watch 5s
//
// The background scavenger has worked little by little since Go 1.13; before, it
// looked every 2.5 minutes for what was unused for 5. Prints JSON.
package main

import (
	"flag"
	"runtime"
	"runtime/metrics"
	"time"

	"workloads/internal/out"
)

type result struct {
	Bytes    int     `json:"bytes"`
	WatchS   float64 `json:"watch_s"`
	Releases int     `json:"releases"`
	// Of the releases seen, at most one per millisecond; null without two.
	MeanIntervalS *float64 `json:"mean_interval_s"`
	FirstAfterS   *float64 `json:"first_after_s"`
	Released      uint64   `json:"released_bytes"`
}

func main() {
	bytes := flag.Int("bytes", 256<<20, "what is allocated and freed")
	watch := flag.Duration("watch", 5*time.Second, "how long to watch")
	flag.Parse()
	out.Print(run(*bytes, *watch))
}

func run(bytes int, watch time.Duration) result {
	r := result{Bytes: bytes}
	kept := make([][]byte, bytes>>16)
	for i := range kept {
		kept[i] = make([]byte, 1<<16)
		kept[i][0] = 1
	}
	runtime.KeepAlive(kept)
	kept = nil
	runtime.GC()
	runtime.GC() // the goal of the second one no longer knows what was freed

	start := time.Now()
	before := released()
	last := before
	var first, latest time.Duration
	for at := time.Duration(0); at < watch; at = time.Since(start) {
		if now := released(); now > last {
			last, latest = now, time.Since(start)
			if r.Releases++; r.Releases == 1 {
				first = latest
			}
		}
		time.Sleep(time.Millisecond)
	}
	r.WatchS, r.Released = time.Since(start).Seconds(), last-before
	if r.Releases > 0 {
		seconds := first.Seconds()
		r.FirstAfterS = &seconds
	}
	if r.Releases > 1 {
		mean := (latest - first).Seconds() / float64(r.Releases-1)
		r.MeanIntervalS = &mean
	}
	return r
}

func released() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
