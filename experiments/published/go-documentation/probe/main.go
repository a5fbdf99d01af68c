// Command probe looks at what Go's documentation says of its runtime: the heap's goal, the memory
// limit, and a goroutine's first stack. It prints one JSON object.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/metrics"
	"time"
)

const mib = 1 << 20

var kept [][]byte

func main() {
	found := map[string]func() any{"goal": goal, "limit": limit, "stack": stack}[os.Args[1]]()
	json.NewEncoder(os.Stdout).Encode(found)
}

func read(names ...string) []uint64 {
	samples := make([]metrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	metrics.Read(samples)
	values := make([]uint64, len(names))
	for i, sample := range samples {
		values[i] = sample.Value.Uint64()
	}
	return values
}

func live(bytes int) {
	for i := 0; i < bytes; i += mib {
		page := make([]byte, mib)
		for at := 0; at < len(page); at += 4096 {
			page[at] = 1
		}
		kept = append(kept, page)
	}
}

// goal is the heap's goal after a collection, against what lived.
func goal() any {
	live(64 * mib)
	runtime.GC()
	runtime.GC()
	v := read("/gc/heap/goal:bytes", "/gc/heap/live:bytes")
	return map[string]any{"goal_over_live": float64(v[0]) / float64(v[1])}
}

// limit is the most memory that the runtime held while a program with GOGC=off allocated for two
// seconds, against GOMEMLIMIT; a third of it lives.
func limit() any {
	live(20 * mib)
	var most uint64
	var garbage [64][]byte
	for i, end := 0, time.Now().Add(2*time.Second); time.Now().Before(end); i++ {
		garbage[i%len(garbage)] = make([]byte, 64<<10)
		garbage[i%len(garbage)][0] = 1
		if i%64 == 0 {
			v := read("/memory/classes/total:bytes", "/memory/classes/heap/released:bytes")
			most = max(most, v[0]-v[1])
		}
	}
	runtime.KeepAlive(garbage)
	return map[string]any{
		"most_over_limit": float64(most) / float64(read("/gc/gomemlimit:bytes")[0]),
	}
}

// stack is what each of ten thousand goroutines that have just begun holds for its stack.
func stack() any {
	const count = 10000
	const name = "/memory/classes/heap/stacks:bytes"
	runtime.GC()
	before := read(name)[0]
	stop, begun := make(chan struct{}), make(chan struct{}, count)
	for i := 0; i < count; i++ {
		go func() {
			begun <- struct{}{}
			<-stop
		}()
	}
	for i := 0; i < count; i++ {
		<-begun
	}
	after := read(name)[0]
	close(stop)
	return map[string]any{"stack_bytes": float64(after-before) / count}
}
