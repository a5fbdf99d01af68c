// Command estimator compares what a program can compute from runtime.MemStats
// with its resident memory, in four states: idle, with memory allocated, with
// that memory freed (collected, but not given back), and given back.
//
//	estimator -bytes 104857600
//
// article is the article's Alloc + StackInuse + MSpanInuse; held is Sys −
// HeapReleased, which is what Go has and has not given back. rss is exact, from
// smaps. Prints JSON.
package main

import (
	"flag"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"workloads/internal/out"
	"workloads/internal/proc"
)

type result struct {
	Bytes     int   `json:"bytes"`
	Idle      state `json:"idle"`
	Allocated state `json:"allocated"`
	Freed     state `json:"freed"`
	Returned  state `json:"returned"`
	// Worst is the largest |estimate / rss − 1| of the four states.
	WorstArticle float64 `json:"article_worst_error"`
	WorstHeld    float64 `json:"held_worst_error"`
}

type state struct {
	RSS     int64 `json:"rss_bytes"`
	Anon    int64 `json:"rss_anon_bytes"`
	PSS     int64 `json:"pss_bytes"`
	Article int64 `json:"article_bytes"`
	Held    int64 `json:"held_bytes"`
	Sys     int64 `json:"sys_bytes"`
	// The same as fractions of rss.
	ArticleOfRSS float64 `json:"article_over_rss"`
	HeldOfRSS    float64 `json:"held_over_rss"`
	SysOfRSS     float64 `json:"sys_over_rss"`

	HeapInuse    uint64 `json:"heap_inuse_bytes"`
	HeapIdle     uint64 `json:"heap_idle_bytes"`
	HeapReleased uint64 `json:"heap_released_bytes"`
}

func main() {
	bytes := flag.Int("bytes", 100<<20, "what is allocated")
	flag.Parse()
	r, err := run(*bytes)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(bytes int) (result, error) {
	r := result{Bytes: bytes}
	var err error
	take := func(into *state) {
		if err == nil {
			*into, err = read()
		}
	}
	runtime.GC()
	time.Sleep(100 * time.Millisecond)
	take(&r.Idle)

	kept := make([][]byte, bytes>>10)
	for i := range kept {
		kept[i] = make([]byte, 1<<10)
		kept[i][0] = 1
	}
	take(&r.Allocated)

	runtime.KeepAlive(kept)
	kept = nil
	runtime.GC()
	take(&r.Freed) // at once: the background scavenger gives back little by little

	debug.FreeOSMemory()
	take(&r.Returned)
	for _, s := range []state{r.Idle, r.Allocated, r.Freed, r.Returned} {
		r.WorstArticle = max(r.WorstArticle, math.Abs(s.ArticleOfRSS-1))
		r.WorstHeld = max(r.WorstHeld, math.Abs(s.HeldOfRSS-1))
	}
	return r, err
}

func read() (state, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := state{
		Article:   int64(m.Alloc + m.StackInuse + m.MSpanInuse),
		Held:      int64(m.Sys - m.HeapReleased),
		Sys:       int64(m.Sys),
		HeapInuse: m.HeapInuse, HeapIdle: m.HeapIdle, HeapReleased: m.HeapReleased,
	}
	for name, into := range map[string]*int64{"Rss": &s.RSS, "Anonymous": &s.Anon, "Pss": &s.PSS} {
		kib, err := proc.Smaps(name)
		if err != nil {
			return s, err
		}
		*into = kib << 10
	}
	rss := float64(s.RSS)
	s.ArticleOfRSS = float64(s.Article) / rss
	s.HeldOfRSS = float64(s.Held) / rss
	s.SysOfRSS = float64(s.Sys) / rss
	return s, nil
}
