// Command connmem says what connections to a net/http server cost in memory, and
// where in the address space it lies.
//
//	connmem -connections 90 -state active
//
// Server and clients share the process, but a client here is a bare socket: it
// starts no goroutine and has no buffer, so that stacks and buffers are the
// server's. -state active leaves every request within its handler; idle has each
// answered, and the connection kept alive. All allocations are profiled. Then
// the connections are closed, and three collections run. Prints JSON.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"workloads/internal/out"
	"workloads/internal/proc"
)

func init() { runtime.MemProfileRate = 1 }

type result struct {
	Connections int    `json:"connections"`
	State       string `json:"state"`
	Idle        sizes  `json:"idle"`
	Open        sizes  `json:"open"`
	Closed      sizes  `json:"closed"`
	// Of Open minus Idle.
	StackPer  float64 `json:"stack_per_connection_bytes"`
	ReadPer   float64 `json:"read_buffer_per_connection_bytes"`
	WritePer  float64 `json:"write_buffer_per_connection_bytes"`
	StackGrew int64   `json:"stack_growth_bytes"`
	// Survived is the share of the buffers that is still there after closing.
	Survived float64 `json:"buffers_survived"`
	Places   places  `json:"places"`
}

type sizes struct {
	StackInuse uint64 `json:"stack_inuse_bytes"`
	HeapInuse  uint64 `json:"heap_inuse_bytes"`
	HeapSys    uint64 `json:"heap_sys_bytes"`
	Goroutines int    `json:"goroutines"`
	RSS        int64  `json:"rss_bytes"`
	// Estimates of it: the article's sum, and Sys − HeapReleased.
	Article float64 `json:"article_over_rss"`
	Held    float64 `json:"held_over_rss"`
	// Bytes in use that these functions have allocated.
	Reader int64 `json:"bufio_reader_bytes"`
	Writer int64 `json:"bufio_writer_bytes"`
}

type places struct {
	HeapAddress  string `json:"heap_object"`
	StackAddress string `json:"stack"`
	// HeapAt and ArenaStart are the same in bytes, for comparing.
	ArenaStart   uint64 `json:"arena_start"`
	ArenaName    string `json:"arena_name"`
	StackInArena bool   `json:"stack_in_arena"`
	HasBrkHeap   bool   `json:"has_brk_heap"`
	HeapInBrk    bool   `json:"small_objects_in_brk_heap"`
	ArenaBytes   uint64 `json:"arena_mapped_bytes"`
}

func main() {
	connections := flag.Int("connections", 90, "how many")
	state := flag.String("state", "active", "active (within the handler) or idle (answered, kept alive)")
	flag.Parse()
	r, err := run(*connections, *state)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(connections int, state string) (result, error) {
	r := result{Connections: connections, State: state}
	if state != "active" && state != "idle" {
		return r, fmt.Errorf("-state %q: active or idle", state)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	var inside sync.WaitGroup
	release := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if state == "active" {
			inside.Done()
			<-release
		}
		w.Write([]byte("pong"))
	})}
	go server.Serve(listener)
	defer server.Close()

	if r.Idle, err = read(); err != nil {
		return r, err
	}
	inside.Add(connections)
	request, answer := []byte("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 4096)
	conns := make([]net.Conn, connections)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", listener.Addr().String()); err != nil {
			return r, err
		}
		if _, err := conns[i].Write(request); err != nil {
			return r, err
		}
		if state == "idle" {
			if _, err := conns[i].Read(answer); err != nil {
				return r, err
			}
		}
	}
	if state == "active" {
		inside.Wait()
	}
	time.Sleep(50 * time.Millisecond) // the last ones are on their way to where they wait
	if r.Open, err = read(); err != nil {
		return r, err
	}
	if r.Places, err = where(); err != nil {
		return r, err
	}
	close(release)
	for _, conn := range conns {
		conn.Close()
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > r.Idle.Goroutines; {
		if time.Now().After(end) {
			return r, errors.New("the server's goroutines do not end")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if r.Closed, err = read(); err != nil {
		return r, err
	}
	n := float64(connections)
	r.StackGrew = int64(r.Open.StackInuse) - int64(r.Idle.StackInuse)
	r.StackPer = float64(r.StackGrew) / n
	r.ReadPer = float64(r.Open.Reader-r.Idle.Reader) / n
	r.WritePer = float64(r.Open.Writer-r.Idle.Writer) / n
	r.Survived = float64(r.Closed.Reader+r.Closed.Writer) / float64(r.Open.Reader+r.Open.Writer)
	return r, nil
}

// read collects three times first: a profile is as of the last collection, and
// what a sync.Pool holds lives for two.
func read() (sizes, error) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := sizes{
		StackInuse: m.StackInuse, HeapInuse: m.HeapInuse, HeapSys: m.HeapSys,
		Goroutines: runtime.NumGoroutine(),
	}
	kib, err := proc.Smaps("Rss")
	if err != nil {
		return s, err
	}
	s.RSS = kib << 10
	s.Article = float64(m.Alloc+m.StackInuse+m.MSpanInuse) / float64(s.RSS)
	s.Held = float64(m.Sys-m.HeapReleased) / float64(s.RSS)
	s.Reader, s.Writer = allocatedBy("bufio.NewReaderSize"), allocatedBy("bufio.NewWriterSize")
	return s, nil
}

// allocatedBy returns the bytes in use that a function has allocated itself.
func allocatedBy(function string) int64 {
	n, _ := runtime.MemProfile(nil, false)
	records := make([]runtime.MemProfileRecord, n+200)
	n, ok := runtime.MemProfile(records, false)
	if !ok {
		return 0
	}
	var bytes int64
	for _, record := range records[:n] {
		frames := runtime.CallersFrames(record.Stack())
		for {
			frame, more := frames.Next()
			if strings.HasPrefix(frame.Function, "runtime.") && more {
				continue
			}
			if frame.Function == function {
				bytes += record.InUseBytes()
			}
			break
		}
	}
	return bytes
}

var small *[64]byte

// where looks up a small heap object and a goroutine's stack in /proc/self/maps.
func where() (places, error) {
	small = new([64]byte)
	heap := uint64(uintptr(unsafe.Pointer(small)))
	onStack := make(chan uint64)
	go func() {
		var local byte
		onStack <- uint64(uintptr(unsafe.Pointer(&local)))
	}()
	stack := <-onStack
	maps, err := proc.Maps()
	if err != nil {
		return places{}, err
	}
	p := places{HeapAddress: fmt.Sprintf("%#x", heap), StackAddress: fmt.Sprintf("%#x", stack)}
	for _, m := range maps {
		in := m.Start <= heap && heap < m.End
		if in {
			p.ArenaStart, p.ArenaBytes, p.ArenaName = m.Start, m.End-m.Start, m.Name
			p.StackInArena = m.Start <= stack && stack < m.End
		}
		if m.Name == "[heap]" {
			p.HasBrkHeap = true
			p.HeapInBrk = p.HeapInBrk || in
		}
	}
	return p, nil
}
