// Command sourcesprogram shows what the sources read: expvar, a Prometheus page,
// runtime/metrics as JSON, GC traces on stderr, a last line of JSON on stdout.
package main

import (
	"encoding/json"
	"expvar"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var kept [][]byte

// work allocates 40 MiB, keeps a quarter, collects and gives memory back.
func work() {
	for i := range 40 {
		block := make([]byte, 1<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = byte(i)
		}
		if i%4 == 0 {
			kept = append(kept, block)
		}
	}
	runtime.GC()
	kept = kept[:len(kept)/2]
	debug.FreeOSMemory()
}

type histogram struct {
	Counts  []uint64   `json:"counts"`
	Buckets []*float64 `json:"buckets"`
}

// runtimeMetrics writes every metric of the runtime under Go's own name.
func runtimeMetrics(w http.ResponseWriter, _ *http.Request) {
	all := metrics.All()
	samples := make([]metrics.Sample, len(all))
	for i, one := range all {
		samples[i].Name = one.Name
	}
	metrics.Read(samples)
	found := map[string]any{}
	for _, sample := range samples {
		switch sample.Value.Kind() {
		case metrics.KindUint64:
			found[sample.Name] = sample.Value.Uint64()
		case metrics.KindFloat64:
			found[sample.Name] = sample.Value.Float64()
		case metrics.KindFloat64Histogram:
			seen := sample.Value.Float64Histogram()
			shown := histogram{Counts: seen.Counts}
			for _, bound := range seen.Buckets {
				if math.IsInf(bound, 0) {
					shown.Buckets = append(shown.Buckets, nil)
				} else {
					shown.Buckets = append(shown.Buckets, &bound)
				}
			}
			found[sample.Name] = shown
		}
	}
	_ = json.NewEncoder(w).Encode(found)
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	began := time.Now()
	work()
	expvar.NewInt("served").Set(7)
	expvar.Publish("state", expvar.Func(func() any {
		return map[string]any{"kept": len(kept), "missing": nil}
	}))
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(
		collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsAll)))
	answers := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "answers_total"}, []string{"code", "method"})
	answers.WithLabelValues("200", "get").Add(40)
	answers.WithLabelValues("503", "get").Add(2)
	seconds := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "answer_seconds", Buckets: []float64{0.01, 0.1, 1}})
	for _, took := range []float64{0.005, 0.05, 0.5, 5} {
		seconds.Observe(took)
	}
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "empty_seconds", Objectives: map[float64]float64{0.5: 0.05}})
	registry.MustRegister(answers, seconds, summary)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	http.HandleFunc("/runtime", runtimeMetrics)
	http.HandleFunc("/quit", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "bye")
		go func() { time.Sleep(50 * time.Millisecond); os.Exit(0) }()
	})
	fmt.Fprintf(os.Stderr, "ready after %.3f s\n", time.Since(began).Seconds())
	fmt.Printf("{\"port\": %d, \"kept\": %d, \"missing\": null}\n",
		listener.Addr().(*net.TCPAddr).Port, len(kept))
	log.Fatal(http.Serve(listener, nil))
}
