// Command poolkeep says what a sync.Pool keeps over garbage collections, beside
// a free list with a bound.
//
//	poolkeep -put 128 -capacity 0 -burst 256 -size 64 -rounds 200 -gc-every 10
//
// First -put objects are put in and counted again after 0, 1 and 2 collections:
// a sync.Pool has no capacity that could be chosen, it drops everything at the
// second one. (One object per CPU is private to it: a goroutine that the
// scheduler has moved cannot get at that one.) Then come rounds in which -burst objects of -size bytes are taken
// and given back, with a collection every -gc-every rounds: how many had to be
// made anew? -capacity 0 is the article's NumCPU × 32. Prints JSON.
package main

import (
	"flag"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"workloads/internal/out"
)

type config struct{ put, capacity, burst, size, rounds, gcEvery int }

type result struct {
	Put      int `json:"put"`
	Capacity int `json:"capacity"`
	NumCPU   int `json:"num_cpu"`
	Burst    int `json:"burst"`
	Size     int `json:"size_bytes"`
	Rounds   int `json:"rounds"`
	GCEvery  int `json:"gc_every"`

	Pool     kept `json:"pool"`
	FreeList kept `json:"freelist"`
	Article  kept `json:"article"`
}

type kept struct {
	After0GC int `json:"kept_after_0_gc"`
	After1GC int `json:"kept_after_1_gc"`
	After2GC int `json:"kept_after_2_gc"`
	// Of the rounds; the first one, in which all are new, is not counted.
	NewPerGet  float64 `json:"new_per_get"`
	NsPerGet   float64 `json:"ns_per_get"`
	MallocsPer float64 `json:"mallocs_per_get"`
}

// store is what a pool and a free list have in common. get returns nil when
// there is nothing to reuse.
type store interface {
	get() *[]byte
	put(*[]byte)
}

type pool struct{ sync.Pool }

func (p *pool) get() *[]byte {
	buf, _ := p.Get().(*[]byte)
	return buf
}
func (p *pool) put(buf *[]byte) { p.Put(buf) }

// freeList keeps at most cap(list) objects, for ever.
type freeList chan *[]byte

func (l freeList) get() *[]byte {
	select {
	case buf := <-l:
		return buf
	default:
		return nil
	}
}

func (l freeList) put(buf *[]byte) {
	select {
	case l <- buf:
	default: // full: the collector may have it
	}
}

func main() {
	var c config
	flag.IntVar(&c.put, "put", 128, "objects to put in before the collections")
	flag.IntVar(&c.capacity, "capacity", 0, "bound of the free list; 0: NumCPU × 32")
	flag.IntVar(&c.burst, "burst", 256, "objects in use at once")
	flag.IntVar(&c.size, "size", 64, "bytes of one object")
	flag.IntVar(&c.rounds, "rounds", 200, "bursts")
	flag.IntVar(&c.gcEvery, "gc-every", 10, "bursts between two collections; 0: none")
	flag.Parse()
	out.Print(run(c))
}

func run(c config) result {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // collections come when we say
	if c.capacity == 0 {
		c.capacity = runtime.NumCPU() * 32
	}
	newPool := func() store { return &pool{} }
	newList := func() store { return make(freeList, c.capacity) }
	r := result{
		Put: c.put, Capacity: c.capacity, NumCPU: runtime.NumCPU(),
		Burst: c.burst, Size: c.size, Rounds: c.rounds, GCEvery: c.gcEvery,
	}
	r.Pool = measure(c, newPool, func() *[]byte { return bytesOf(c.size) })
	r.FreeList = measure(c, newList, func() *[]byte { return bytesOf(c.size) })
	// a pool of the article's objects, without its New: it would hide a get that found nothing
	r.Article = measure(c, newPool, func() *[]byte { return smallBufPool.New().(*[]byte) })
	return r
}

func bytesOf(size int) *[]byte {
	buf := make([]byte, size)
	return &buf
}

func measure(c config, fresh func() store, make func() *[]byte) kept {
	var k kept
	for gcs, into := range []*int{&k.After0GC, &k.After1GC, &k.After2GC} {
		s := fresh()
		for range c.put {
			s.put(make())
		}
		for range gcs {
			runtime.GC()
		}
		for s.get() != nil {
			*into++
		}
	}
	k.bursts(c, fresh(), make)
	return k
}

func (k *kept) bursts(c config, s store, make func() *[]byte) {
	held := []*[]byte{}
	var gets, news int
	var took time.Duration
	var mallocs uint64
	var before, after runtime.MemStats
	for round := range c.rounds + 1 {
		made := 0
		runtime.ReadMemStats(&before)
		start := time.Now()
		for range c.burst {
			buf := s.get()
			if buf == nil {
				buf = make()
				made++
			}
			held = append(held, buf)
		}
		for _, buf := range held {
			s.put(buf)
		}
		elapsed := time.Since(start)
		runtime.ReadMemStats(&after)
		held = held[:0]
		if round > 0 {
			gets, news, took = gets+c.burst, news+made, took+elapsed
			mallocs += after.Mallocs - before.Mallocs
		}
		if c.gcEvery > 0 && round%c.gcEvery == c.gcEvery-1 {
			runtime.GC()
		}
	}
	if gets > 0 {
		k.NewPerGet = float64(news) / float64(gets)
		k.NsPerGet = float64(took.Nanoseconds()) / float64(gets)
		k.MallocsPer = float64(mallocs) / float64(gets)
	}
}
