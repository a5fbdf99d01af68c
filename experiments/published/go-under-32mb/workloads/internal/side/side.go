// Package side is the side port of the instrumented servers: what the Go
// runtime says of itself, apart from the port that takes the load.
//
//	/stats        runtime.MemStats and runtime/metrics as JSON
//	/metrics      the article's two gauges, in Prometheus' text format
//	/gc           a garbage collection; answers with /stats
//	/free         a collection that also returns memory to the system
//	/debug/pprof  the usual profiles; GODEBUG=memprofilerate=1 counts every allocation
//	/heapdump     debug.WriteHeapDump: objects with their addresses
//
// Linking this package links runtime.MemProfile, and with it the heap profiler
// is on. Servers built with the tag `plain` leave it out.
package side

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"
)

// Start serves the side port on addr in the background and returns the address
// that it got. record is the interval at which the gauges of /metrics are
// taken; with 0 they are taken at every scrape.
func Start(addr string, record time.Duration) (string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	go http.Serve(listener, Handler(record))
	return listener.Addr().String(), nil
}

// Handler is the side port without its listener.
func Handler(record time.Duration) http.Handler {
	g := &gauges{}
	if record > 0 {
		g.take()
		go func() {
			for range time.Tick(record) {
				g.take()
			}
		}()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) { writeStats(w) })
	mux.HandleFunc("/gc", func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		writeStats(w)
	})
	mux.HandleFunc("/free", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		writeStats(w)
	})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		if record <= 0 {
			g.take()
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		g.write(w)
	})
	mux.HandleFunc("/heapdump", heapDump)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	return mux
}

// Stats is the answer of /stats.
type Stats struct {
	GoVersion  string             `json:"go_version"`
	GOARCH     string             `json:"goarch"`
	PID        int                `json:"pid"`
	NumCPU     int                `json:"num_cpu"`
	GOMAXPROCS int                `json:"gomaxprocs"`
	Goroutines int                `json:"goroutines"`
	UnixNano   int64              `json:"unix_nano"`
	MemStats   map[string]float64 `json:"memstats"`
	// MeanPauseNs is null when there was no collection: a mean of nothing is not 0.
	MeanPauseNs *float64       `json:"mean_pause_ns"`
	Metrics     map[string]any `json:"metrics"`
}

// Histogram is what is kept of a histogram of runtime/metrics: upper bounds of
// the buckets in which the quantiles lie.
type Histogram struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Read takes a Stats. It stops the world once, for MemStats.
func Read() Stats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := Stats{
		GoVersion:  runtime.Version(),
		GOARCH:     runtime.GOARCH,
		PID:        os.Getpid(),
		NumCPU:     runtime.NumCPU(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Goroutines: runtime.NumGoroutine(),
		UnixNano:   time.Now().UnixNano(),
		MemStats: map[string]float64{
			"Alloc": float64(m.Alloc), "TotalAlloc": float64(m.TotalAlloc), "Sys": float64(m.Sys),
			"Mallocs": float64(m.Mallocs), "Frees": float64(m.Frees),
			"HeapAlloc": float64(m.HeapAlloc), "HeapSys": float64(m.HeapSys), "HeapIdle": float64(m.HeapIdle),
			"HeapInuse": float64(m.HeapInuse), "HeapReleased": float64(m.HeapReleased), "HeapObjects": float64(m.HeapObjects),
			"StackInuse": float64(m.StackInuse), "StackSys": float64(m.StackSys),
			"MSpanInuse": float64(m.MSpanInuse), "MSpanSys": float64(m.MSpanSys),
			"MCacheInuse": float64(m.MCacheInuse), "MCacheSys": float64(m.MCacheSys),
			"BuckHashSys": float64(m.BuckHashSys), "GCSys": float64(m.GCSys), "OtherSys": float64(m.OtherSys),
			"NextGC": float64(m.NextGC), "NumGC": float64(m.NumGC), "NumForcedGC": float64(m.NumForcedGC),
			"PauseTotalNs": float64(m.PauseTotalNs), "GCCPUFraction": m.GCCPUFraction,
		},
		Metrics: readMetrics(),
	}
	if m.NumGC > 0 {
		mean := float64(m.PauseTotalNs) / float64(m.NumGC)
		s.MeanPauseNs = &mean
	}
	return s
}

func readMetrics() map[string]any {
	all := metrics.All()
	samples := make([]metrics.Sample, len(all))
	for i := range all {
		samples[i].Name = all[i].Name
	}
	metrics.Read(samples)
	out := make(map[string]any, len(samples))
	for _, sample := range samples {
		switch sample.Value.Kind() {
		case metrics.KindUint64:
			out[sample.Name] = sample.Value.Uint64()
		case metrics.KindFloat64:
			out[sample.Name] = sample.Value.Float64()
		case metrics.KindFloat64Histogram:
			out[sample.Name] = summary(sample.Value.Float64Histogram())
		}
	}
	return out
}

func summary(h *metrics.Float64Histogram) Histogram {
	var s Histogram
	for _, n := range h.Counts {
		s.Count += n
	}
	var seen uint64
	for i, n := range h.Counts {
		if n == 0 {
			continue
		}
		before := seen
		seen += n
		upper := h.Buckets[i+1]
		if upper > 1e300 { // +Inf is no JSON
			upper = h.Buckets[i]
		}
		if half := (s.Count + 1) / 2; before < half && seen >= half {
			s.P50 = upper
		}
		if most := (s.Count*99 + 99) / 100; before < most && seen >= most {
			s.P99 = upper
		}
		s.Max = upper
	}
	return s
}

func writeStats(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(Read())
}

// gauges are the article's recordMemStats, and what calling it costs.
type gauges struct {
	mu           sync.Mutex
	alloc, sys   uint64
	reads        uint64
	readsSeconds float64
}

func (g *gauges) take() {
	g.mu.Lock()
	defer g.mu.Unlock()
	var m runtime.MemStats
	start := time.Now()
	runtime.ReadMemStats(&m)
	g.readsSeconds += time.Since(start).Seconds()
	g.reads++
	g.alloc, g.sys = m.Alloc, m.Sys
}

func (g *gauges) write(w io.Writer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	const mib = 1024 * 1024 // the article writes MB and divides by 1024²
	fmt.Fprintf(w, "# HELP go_mem_heap_alloc_mb MemStats.Alloc / 1024 / 1024: MiB, in spite of the name.\n"+
		"# TYPE go_mem_heap_alloc_mb gauge\ngo_mem_heap_alloc_mb %g\n", float64(g.alloc)/mib)
	fmt.Fprintf(w, "# HELP go_mem_heap_sys_mb MemStats.Sys / 1024 / 1024: all address space got from the system, not the heap alone.\n"+
		"# TYPE go_mem_heap_sys_mb gauge\ngo_mem_heap_sys_mb %g\n", float64(g.sys)/mib)
	fmt.Fprintf(w, "# HELP go_mem_reads_total Calls of ReadMemStats for these gauges.\n"+
		"# TYPE go_mem_reads_total counter\ngo_mem_reads_total %d\n", g.reads)
	fmt.Fprintf(w, "# HELP go_mem_read_seconds_total Time spent in them.\n"+
		"# TYPE go_mem_read_seconds_total counter\ngo_mem_read_seconds_total %g\n", g.readsSeconds)
}

// heapDump writes into the connection itself: the world is stopped meanwhile, and the kernel
// takes the bytes away as the other end reads. A file would do as well, but its pages would be
// charged to the cgroup whose limit is being looked at.
func heapDump(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return
	}
	defer file.Close()
	// without a length: the dump ends where the connection does
	io.WriteString(buffered, "HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n")
	buffered.Flush()
	fd := file.Fd()
	syscall.SetNonblock(int(fd), false) // WriteHeapDump takes a full buffer for an error
	debug.WriteHeapDump(fd)
}
