// Command gateway is the article's edge node: sensors → bounded cache → uplink
// → sink, with an outage of the uplink. It counts what is lost, and says how
// long the backlog takes once the link is back.
//
//	gateway                                   all in one process, own outage
//	gateway -role sink -listen 10.0.0.1:9000  the far end; JSON at SIGTERM
//	gateway -role gateway -sink 10.0.0.1:9000 -outage 0
//	                                          the outage is the network's: take
//	                                          the link down from outside
//
// The article gives 23 856 sensors, a cache of 512 MB, an outage of 47 minutes
// and 3.2 minutes to catch up; message size, rate and the uplink's speed it does
// not give. Time runs -scale times as fast: the outage is that much shorter and
// the sensors send that much more often, so the number of messages that pile up
// stays. Figures ending in _scaled_s are multiplied back; a sync time is only
// meaningful so with an -uplink given, else it is this machine's speed.
// Prints JSON.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"workloads/internal/out"
)

type config struct {
	role, listen, sink     string
	sensors, message       int
	interval               time.Duration
	cacheBytes             int64
	before, outage, after  time.Duration
	scale, uplink          float64
	timeout, retry, giveUp time.Duration
}

type result struct {
	Sensors    int     `json:"sensors"`
	Message    int     `json:"message_bytes"`
	CacheBytes int64   `json:"cache_bytes"`
	Scale      float64 `json:"scale"`
	Seconds    float64 `json:"seconds"`

	Produced uint64 `json:"produced"`
	// Evicted had to make room in the cache; Undelivered were in it at the end.
	Evicted     uint64 `json:"evicted"`
	Undelivered uint64 `json:"undelivered"`
	// Delivered, Duplicates and Lost are the sink's; null in role gateway.
	Delivered  *uint64 `json:"delivered"`
	Duplicates *uint64 `json:"duplicates"`
	Lost       *uint64 `json:"lost"`

	BacklogPeak      uint64  `json:"backlog_peak"`
	BacklogPeakBytes uint64  `json:"backlog_peak_bytes"`
	ProducedPerS     float64 `json:"produced_per_s"`
	// LateTicks are pauses of more than a second in the sensors' sending: the
	// machine was too slow for the scale.
	LateTicks int `json:"late_ticks"`
	Failures  int `json:"connect_failures"`
	Outages   int `json:"outages"`
	// Of the longest outage that the gateway saw; null without one.
	OutageS       *float64 `json:"outage_s"`
	OutageScaledS *float64 `json:"outage_scaled_s"`
	SyncMessages  *uint64  `json:"sync_messages"`
	// SyncS is null when the backlog was never gone again.
	SyncS       *float64 `json:"sync_s"`
	SyncScaledS *float64 `json:"sync_scaled_s"`
}

func main() {
	var c config
	flag.StringVar(&c.role, "role", "all", "all, gateway (with its sensors) or sink")
	flag.StringVar(&c.listen, "listen", "127.0.0.1:0", "the sink's address")
	flag.StringVar(&c.sink, "sink", "", "the sink to send to, in role gateway")
	flag.IntVar(&c.sensors, "sensors", 23856, "how many")
	flag.DurationVar(&c.interval, "interval", time.Minute, "between two messages of a sensor, unscaled")
	flag.IntVar(&c.message, "message", 200, "bytes of one message, 24 at least")
	flag.Int64Var(&c.cacheBytes, "cache", 512e6, "bytes of the cache")
	flag.DurationVar(&c.before, "before", 5*time.Minute, "with the link up, unscaled")
	flag.DurationVar(&c.outage, "outage", 47*time.Minute, "with the link down, unscaled; 0: it is the network's")
	flag.DurationVar(&c.after, "after", 10*time.Minute, "with the link up again, unscaled")
	flag.Float64Var(&c.scale, "scale", 100, "how many times as fast time runs")
	flag.Float64Var(&c.uplink, "uplink", 0, "messages per second that the uplink carries, unscaled; 0: as many as it can")
	flag.DurationVar(&c.timeout, "timeout", 2*time.Second, "for an acknowledgement and a connection")
	flag.DurationVar(&c.retry, "retry", 50*time.Millisecond, "between two attempts to connect")
	flag.DurationVar(&c.giveUp, "give-up", 30*time.Second, "for the backlog once the sensors have stopped")
	flag.Parse()
	if c.role == "sink" {
		if err := onlySink(c); err != nil {
			out.Fail(err)
		}
		return
	}
	r, err := run(c)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func onlySink(c config) error {
	s, err := listen(c.listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "listening on", s.addr())
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	<-end
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Print(map[string]uint64{"delivered": s.unique, "duplicates": s.duplicates, "missing": s.missing})
	return nil
}

func run(c config) (result, error) {
	r := result{Sensors: c.sensors, Message: c.message, CacheBytes: c.cacheBytes, Scale: c.scale}
	if c.message < header || c.sensors < 1 || c.scale <= 0 || c.interval <= 0 {
		return r, fmt.Errorf("-message %d (24 at least), -sensors %d, -scale %g and -interval %s must be positive",
			c.message, c.sensors, c.scale, c.interval)
	}
	var s *sink
	addr := c.sink
	switch {
	case c.role == "all":
		var err error
		if s, err = listen(c.listen); err != nil {
			return r, err
		}
		defer s.shut()
		addr = s.addr()
	case c.role != "gateway":
		return r, fmt.Errorf("-role %q: all, gateway or sink", c.role)
	case addr == "":
		return r, fmt.Errorf("-role gateway needs a -sink")
	}
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) / c.scale) }
	kept := newCache(c.cacheBytes, c.message)
	up := &uplink{cache: kept, addr: addr, timeout: c.timeout, retry: c.retry, rate: c.uplink * c.scale}
	done := make(chan struct{})
	go up.run(done)

	start := time.Now()
	if s != nil && c.outage > 0 {
		fail := make(chan error, 1)
		go func() {
			time.Sleep(scaled(c.before))
			s.shut()
			time.Sleep(scaled(c.outage))
			fail <- s.open(addr)
		}()
		defer func() { <-fail }()
	}
	total := scaled(c.before + c.outage + c.after)
	r.Produced, r.LateTicks = sense(c, kept, start, total)
	r.Seconds = time.Since(start).Seconds()
	r.ProducedPerS = float64(r.Produced) / r.Seconds

	kept.close()
	select {
	case <-done:
	case <-time.After(c.giveUp):
		up.giveUp()
		<-done
	}
	r.Undelivered = kept.backlog()
	r.Evicted, r.BacklogPeak = kept.counts()
	r.BacklogPeakBytes = r.BacklogPeak * uint64(c.message)
	if s != nil {
		s.mu.Lock()
		delivered, duplicates := s.unique, s.duplicates
		s.mu.Unlock()
		lost := r.Produced - delivered
		r.Delivered, r.Duplicates, r.Lost = &delivered, &duplicates, &lost
	}
	r.outage(up, c.scale)
	return r, nil
}

// sense lets every sensor send once per interval, in turn and evenly spaced,
// until total is over. A sensor's message waits for nothing: the rate does not
// fall when the gateway is slow, it catches up.
func sense(c config, kept *cache, start time.Time, total time.Duration) (produced uint64, late int) {
	perSecond := float64(c.sensors) / c.interval.Seconds() * c.scale
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	last := start
	for {
		<-tick.C
		now := time.Now()
		if now.Sub(last) > time.Second {
			late++
		}
		last = now
		elapsed := min(now.Sub(start), total)
		due := uint64(elapsed.Seconds() * perSecond)
		for ; produced < due; produced++ {
			sensor := produced % uint64(c.sensors)
			kept.add(func(slot []byte, seq uint64) {
				binary.BigEndian.PutUint64(slot, seq)
				binary.BigEndian.PutUint64(slot[8:], sensor)
				binary.BigEndian.PutUint64(slot[16:], uint64(now.UnixNano()))
			})
		}
		if elapsed == total {
			return produced, late
		}
	}
}

func (r *result) outage(up *uplink, scale float64) {
	outages, failures := up.seen()
	r.Failures, r.Outages = failures, len(outages)
	var longest *outage
	for i := range outages {
		o := &outages[i]
		if !o.up.IsZero() && (longest == nil || o.up.Sub(o.down) > longest.up.Sub(longest.down)) {
			longest = o
		}
	}
	if longest == nil {
		return
	}
	number := func(v float64) *float64 { return &v }
	seconds := longest.up.Sub(longest.down).Seconds()
	r.OutageS, r.OutageScaledS = number(seconds), number(seconds*scale)
	r.SyncMessages = &longest.backlog
	if !longest.synced.IsZero() {
		sync := longest.synced.Sub(longest.up).Seconds()
		r.SyncS, r.SyncScaledS = number(sync), number(sync*scale)
	}
}
