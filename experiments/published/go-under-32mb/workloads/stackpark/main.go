// Command stackpark grows the stacks of many goroutines, lets them idle, and
// says what garbage collections make of the stacks.
//
//	stackpark -goroutines 1000 -grow 32768 -keep 0 -state waiting -gcs 8
//
// -keep is the stack that each goroutine still uses while it idles: the runtime
// halves a stack at a collection when less than a quarter of it is in use,
// counting 800 bytes of reserve as used: so even -keep 0 settles at 4 KiB.
// -state is how they idle: `waiting` (on a channel), `runnable` (yielding in a
// loop) or `syscall` (in a blocking read: each then has a thread, whose own
// stacks StackInuse counts too). GODEBUG=gcshrinkstackoff=1 is the
// control. Prints JSON.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"workloads/internal/out"
)

type config struct {
	goroutines, grow, keep, gcs int
	state                       string
}

type result struct {
	Goroutines    int    `json:"goroutines"`
	GrowBytes     int    `json:"grow_bytes"`
	KeepBytes     int    `json:"keep_bytes"`
	State         string `json:"state"`
	StartingBytes uint64 `json:"starting_bytes"`
	// UsedBytes is what a goroutine really uses while idle: its deepest mean.
	UsedBytes int64 `json:"used_bytes"`
	// StackInuse in bytes: before the goroutines, when grown, after each GC.
	Before   uint64   `json:"before_bytes"`
	Grown    uint64   `json:"grown_bytes"`
	AfterGC  []uint64 `json:"after_gc_bytes"`
	Settled  uint64   `json:"settled_bytes"`
	GrownPer float64  `json:"grown_per_goroutine_bytes"`
	Per      float64  `json:"settled_per_goroutine_bytes"`
	// Shrunk is settled / grown.
	Shrunk float64 `json:"settled_ratio"`
}

func main() {
	var c config
	flag.IntVar(&c.goroutines, "goroutines", 1000, "how many")
	flag.IntVar(&c.grow, "grow", 32<<10, "stack size that each is grown to, in bytes")
	flag.IntVar(&c.keep, "keep", 0, "stack that each still uses while idle, in bytes")
	flag.IntVar(&c.gcs, "gcs", 8, "collections while they are idle")
	flag.StringVar(&c.state, "state", "waiting", "waiting, runnable or syscall")
	flag.Parse()
	r, err := run(c)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(c config) (result, error) {
	park, release, err := parking(c.state)
	if err != nil {
		return result{}, err
	}
	r := result{
		Goroutines: c.goroutines, GrowBytes: c.grow, KeepBytes: c.keep, State: c.state,
		StartingBytes: starting(), Before: stackInuse(),
	}
	var idle, done sync.WaitGroup
	var used atomic.Int64
	idle.Add(c.goroutines)
	done.Add(c.goroutines)
	for range c.goroutines {
		go func() {
			defer done.Done()
			var top byte
			descend(&top, c.grow/2+c.grow/4, func(int64) {}) // three quarters full: the next smaller does not do
			descend(&top, c.keep, func(depth int64) {
				used.Add(depth)
				idle.Done()
				park()
			})
		}()
	}
	idle.Wait()
	time.Sleep(50 * time.Millisecond) // the last ones are on their way to sleep
	r.UsedBytes = used.Load() / int64(c.goroutines)
	r.Grown = stackInuse()
	for range c.gcs {
		runtime.GC()
		r.AfterGC = append(r.AfterGC, stackInuse())
	}
	release()
	done.Wait()
	r.Settled = r.Grown
	if c.gcs > 0 {
		r.Settled = r.AfterGC[c.gcs-1]
	}
	r.GrownPer = (float64(r.Grown) - float64(r.Before)) / float64(c.goroutines)
	r.Per = (float64(r.Settled) - float64(r.Before)) / float64(c.goroutines)
	r.Shrunk = float64(r.Settled) / float64(r.Grown)
	return r, nil
}

// descend calls itself until `want` bytes lie between top and here, then calls
// at with their number. The compiler cannot see the size of its frame used up.
//
//go:noinline
func descend(top *byte, want int, at func(int64)) {
	var pad [128]byte
	depth := int64(uintptr(unsafe.Pointer(top)) - uintptr(unsafe.Pointer(&pad[0])))
	if depth >= int64(want) {
		at(depth)
	} else {
		descend(top, want, at)
	}
	runtime.KeepAlive(&pad)
}

// parking returns how a goroutine idles and what ends that for all of them.
func parking(state string) (park, release func(), err error) {
	switch state {
	case "waiting":
		end := make(chan struct{})
		return func() { <-end }, func() { close(end) }, nil
	case "runnable":
		var end atomic.Bool
		loop := func() {
			for !end.Load() {
				runtime.Gosched()
			}
		}
		return loop, func() { end.Store(true) }, nil
	case "syscall":
		var pipe [2]int
		if err := syscall.Pipe(pipe[:]); err != nil { // blocking, unknown to Go's poller
			return nil, nil, err
		}
		read := func() { syscall.Read(pipe[0], make([]byte, 1)) }
		return read, func() { syscall.Close(pipe[1]) }, nil
	}
	return nil, nil, fmt.Errorf("-state %q: waiting, runnable or syscall", state)
}

func stackInuse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

func starting() uint64 {
	sample := []metrics.Sample{{Name: "/gc/stack/starting-size:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
