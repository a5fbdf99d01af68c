// Command pacedalloc allocates at a steady rate with a steady live set, and says
// how often the garbage collector ran and what that cost.
//
//	pacedalloc -live 67108864 -rate 52428800 -duration 60s -mode gogc
//	pacedalloc … -mode limit -fraction 0.7
//	pacedalloc … -mode dynamic -fraction 0.7 -every 5s
//
// `gogc` is GOGC alone (static). `limit` switches GOGC off and sets a memory
// limit of fraction × MemAvailable once; `dynamic` sets it anew every 5 s, as
// the article does for its JVM. Whatever the mode, Go collects when the last
// collection was 2 minutes ago. Prints JSON.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"

	"workloads/internal/out"
	"workloads/internal/proc"
)

type config struct {
	live, rate, object int64
	duration, every    time.Duration
	mode               string
	gogc               int
	fraction           float64
	available          int64 // instead of MemAvailable, when not 0
}

type result struct {
	Mode          string  `json:"mode"`
	LiveBytes     int64   `json:"live_bytes"`
	RateBytes     int64   `json:"rate_bytes_per_s"`
	DurationS     float64 `json:"duration_s"`
	AllocatedRate float64 `json:"allocated_bytes_per_s"`
	GCs           int     `json:"gcs"`
	GCsPerMinute  float64 `json:"gcs_per_minute"`
	// MeanIntervalS is null with fewer than two collections.
	MeanIntervalS *float64 `json:"mean_interval_s"`
	// MeanPauseS is null without a collection.
	MeanPauseS    *float64 `json:"mean_pause_s"`
	PauseTotalS   float64  `json:"pause_total_s"`
	GCCPUS        float64  `json:"gc_cpu_s"`
	CPUS          float64  `json:"cpu_s"`
	GCCPUFraction float64  `json:"gc_cpu_fraction"`
	HeapPeak      uint64   `json:"heap_peak_bytes"`
	RSSPeakKiB    int64    `json:"rss_peak_kib"`
	Limits        []int64  `json:"limits_bytes"`
}

func main() {
	var c config
	flag.Int64Var(&c.live, "live", 64<<20, "live set in bytes")
	flag.Int64Var(&c.rate, "rate", 50<<20, "bytes to allocate per second")
	flag.Int64Var(&c.object, "object", 4<<10, "bytes of one object")
	flag.DurationVar(&c.duration, "duration", time.Minute, "how long")
	flag.DurationVar(&c.every, "every", 5*time.Second, "interval of `dynamic`")
	flag.StringVar(&c.mode, "mode", "gogc", "gogc, limit or dynamic")
	flag.IntVar(&c.gogc, "gogc", 100, "GOGC of mode gogc")
	flag.Float64Var(&c.fraction, "fraction", 0.7, "of MemAvailable, for limit and dynamic")
	flag.Int64Var(&c.available, "available", 0, "bytes to take for MemAvailable instead of /proc/meminfo's")
	flag.Parse()
	r, err := run(c)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(c config) (result, error) {
	r := result{Mode: c.mode, LiveBytes: c.live, RateBytes: c.rate}
	if c.object <= 0 || c.live < c.object {
		return r, fmt.Errorf("-live %d holds no object of %d bytes", c.live, c.object)
	}
	limit := func() error {
		available, err := c.available, error(nil)
		if available == 0 {
			if available, err = proc.Available(); err != nil {
				return err
			}
		}
		bytes := int64(c.fraction * float64(available))
		debug.SetMemoryLimit(bytes)
		r.Limits = append(r.Limits, bytes)
		return nil
	}
	switch c.mode {
	case "gogc":
		debug.SetGCPercent(c.gogc)
	case "limit", "dynamic":
		debug.SetGCPercent(-1)
		if err := limit(); err != nil {
			return r, err
		}
	default:
		return r, fmt.Errorf("-mode %q: gogc, limit or dynamic", c.mode)
	}

	live := make([][]byte, c.live/c.object)
	for i := range live {
		live[i] = make([]byte, c.object)
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	cpuBefore := readCPU()

	random := rand.New(rand.NewSource(1))
	start := time.Now()
	nextLimit := start.Add(c.every)
	var allocated int64
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for at := range tick.C {
		elapsed := at.Sub(start)
		if elapsed >= c.duration {
			break
		}
		for due := int64(elapsed.Seconds() * float64(c.rate)); allocated < due; allocated += c.object {
			live[random.Intn(len(live))] = make([]byte, c.object)
		}
		if heap := heapBytes(); heap > r.HeapPeak {
			r.HeapPeak = heap
		}
		if c.mode == "dynamic" && at.After(nextLimit) {
			nextLimit = nextLimit.Add(c.every)
			if err := limit(); err != nil {
				return r, err
			}
		}
	}
	r.DurationS = time.Since(start).Seconds()
	cpu := readCPU()
	runtime.ReadMemStats(&now)
	runtime.KeepAlive(live)

	r.AllocatedRate = float64(now.TotalAlloc-before.TotalAlloc) / r.DurationS
	r.GCs = int(now.NumGC - before.NumGC)
	r.GCsPerMinute = float64(r.GCs) / r.DurationS * 60
	r.PauseTotalS = float64(now.PauseTotalNs-before.PauseTotalNs) / 1e9
	if r.GCs > 0 {
		mean := r.PauseTotalS / float64(r.GCs)
		r.MeanPauseS = &mean
	}
	r.MeanIntervalS = meanInterval(r.GCs)
	r.GCCPUS = cpu.gc - cpuBefore.gc
	r.CPUS = cpu.used - cpuBefore.used
	r.GCCPUFraction = r.GCCPUS / r.CPUS
	peak, err := proc.Status("VmHWM")
	r.RSSPeakKiB = peak
	return r, err
}

// meanInterval is the mean time between the ends of the last n collections;
// the runtime remembers 256 of them.
func meanInterval(n int) *float64 {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	n = min(n, len(stats.PauseEnd))
	if n < 2 {
		return nil
	}
	mean := stats.PauseEnd[0].Sub(stats.PauseEnd[n-1]).Seconds() / float64(n-1)
	return &mean
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

type cpu struct{ gc, used float64 }

// readCPU returns what the collector used, by the runtime's account (which is
// as of the last collection), and what the process used, by the kernel's.
func readCPU() cpu {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	return cpu{gc: sample[0].Value.Float64(), used: used.Seconds()}
}
