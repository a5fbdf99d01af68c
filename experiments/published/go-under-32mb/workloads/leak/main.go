// Command leak measures what a function leaves behind, and whether a launcher
// can prevent it: HeapAlloc after 3 collections, before and after.
//
//	leak -function leaky -launcher none -tasks 8 -bytes 2048 -timeout 200ms
//
// -function: `leaky` starts goroutines that hold memory and never end; `deaf`
// does so in the one goroutine that the launcher gave it; `heeding` ends its
// goroutines with its context; `clean` starts none.
// -launcher: `none` calls it; `controlled` is the article's launcher, and
// switches the collector off meanwhile as the article does; `waiting` is the
// same launcher as its author may have meant it: it returns when fn has, and
// says so when fn does not end in time. Prints JSON.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"workloads/internal/out"
)

type config struct {
	function, launcher string
	tasks, bytes       int
	timeout            time.Duration
}

type result struct {
	Function string `json:"function"`
	Launcher string `json:"launcher"`
	Tasks    int    `json:"tasks"`
	Bytes    int    `json:"bytes_per_task"`
	// Before and After are HeapAlloc after three collections.
	Before      uint64  `json:"heap_before_bytes"`
	After       uint64  `json:"heap_after_bytes"`
	Growth      int64   `json:"growth_bytes"`
	StackGrowth int64   `json:"stack_growth_bytes"`
	Goroutines  int     `json:"goroutines_left"`
	Seconds     float64 `json:"seconds"`
	// Error is what the launcher returned; null when nothing.
	Error *string `json:"error"`
}

func main() {
	var c config
	flag.StringVar(&c.function, "function", "leaky", "leaky, deaf, heeding or clean")
	flag.StringVar(&c.launcher, "launcher", "none", "none, controlled or waiting")
	flag.IntVar(&c.tasks, "tasks", 8, "goroutines that the function starts")
	flag.IntVar(&c.bytes, "bytes", 2048, "memory that each holds")
	flag.DurationVar(&c.timeout, "timeout", 200*time.Millisecond, "of the launcher's context")
	flag.Parse()
	r, err := run(c)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(c config) (result, error) {
	r := result{Function: c.function, Launcher: c.launcher, Tasks: c.tasks, Bytes: c.bytes}
	function, err := functionOf(c)
	if err != nil {
		return r, err
	}
	launch, err := launcherOf(c.launcher)
	if err != nil {
		return r, err
	}
	// a first call for what is made only once: timers, the runtime's own lists
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout/10)
	launch(ctx, func(context.Context) {})
	cancel()

	heap, stack, goroutines := settled()
	r.Before = heap
	start := time.Now()
	ctx, cancel = context.WithTimeout(context.Background(), c.timeout)
	err = launch(ctx, function)
	cancel()
	r.Seconds = time.Since(start).Seconds()
	time.Sleep(20 * time.Millisecond) // those that heed their context are ending
	heap, stackAfter, goroutinesAfter := settled()
	r.After = heap
	r.Growth = int64(r.After) - int64(r.Before)
	r.StackGrowth = int64(stackAfter) - int64(stack)
	r.Goroutines = goroutinesAfter - goroutines
	if err != nil {
		text := err.Error()
		r.Error = &text
	}
	return r, nil
}

func settled() (heap, stack uint64, goroutines int) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse, runtime.NumGoroutine()
}

func functionOf(c config) (func(context.Context), error) {
	never := make(chan struct{})
	hold := func(until <-chan struct{}) {
		memory := make([]byte, c.bytes)
		<-until
		runtime.KeepAlive(memory)
	}
	switch c.function {
	case "leaky":
		return func(context.Context) {
			for range c.tasks {
				go hold(never)
			}
		}, nil
	case "deaf":
		return func(context.Context) {
			for range c.tasks - 1 {
				go hold(never)
			}
			hold(never)
		}, nil
	case "heeding":
		return func(ctx context.Context) {
			for range c.tasks {
				go hold(ctx.Done())
			}
		}, nil
	case "clean":
		return func(context.Context) {
			for range c.tasks {
				runtime.KeepAlive(make([]byte, c.bytes))
			}
		}, nil
	}
	return nil, fmt.Errorf("-function %q: leaky, deaf, heeding or clean", c.function)
}

type launcher func(context.Context, func(context.Context)) error

func launcherOf(name string) (launcher, error) {
	switch name {
	case "none":
		return func(ctx context.Context, fn func(context.Context)) error {
			done := make(chan struct{})
			go func() { fn(ctx); close(done) }()
			select { // a benchmark that does not come back must not hang this program
			case <-done:
			case <-ctx.Done():
			}
			return nil
		}, nil
	case "controlled":
		return func(ctx context.Context, fn func(context.Context)) error {
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			return runWithControlledGoroutines(ctx, fn)
		}, nil
	case "waiting":
		return waiting, nil
	}
	return nil, fmt.Errorf("-launcher %q: none, controlled or waiting", name)
}

var errLeftBehind = errors.New("fn did not end with its context: its goroutine is left behind")

func waiting(ctx context.Context, fn func(context.Context)) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(ctx)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done:
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return errLeftBehind
	}
}
