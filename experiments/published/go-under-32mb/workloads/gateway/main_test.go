package main

import (
	"encoding/binary"
	"testing"
	"time"
)

func small() config {
	return config{
		role: "all", listen: "127.0.0.1:0", sensors: 100, interval: 10 * time.Second,
		message: 64, cacheBytes: 1 << 20, before: 20 * time.Second, outage: 60 * time.Second,
		after: 60 * time.Second, scale: 100, timeout: time.Second, retry: 10 * time.Millisecond,
		giveUp: 5 * time.Second,
	}
}

func TestAnOutageWithinTheCacheLosesNothing(t *testing.T) {
	r, err := run(small())
	if err != nil {
		t.Fatal(err)
	}
	if r.Produced != 1400 || *r.Delivered != r.Produced || *r.Lost != 0 || r.Evicted != 0 || r.Undelivered != 0 {
		t.Errorf("%+v, lost %d", r, *r.Lost)
	}
	if r.Outages == 0 || r.SyncS == nil || *r.OutageScaledS < 30 || r.BacklogPeak < 300 {
		t.Errorf("the outage was not seen: %+v", r)
	}
}

func TestAFullCacheLosesTheOldest(t *testing.T) {
	c := small()
	c.cacheBytes = 100 * 64
	r, err := run(c)
	if err != nil {
		t.Fatal(err)
	}
	if *r.Lost == 0 || r.Evicted < *r.Lost || r.BacklogPeak != 100 {
		t.Errorf("%+v, lost %d", r, *r.Lost)
	}
	if *r.Delivered+*r.Lost != r.Produced {
		t.Errorf("%d delivered and %d lost of %d", *r.Delivered, *r.Lost, r.Produced)
	}
}

func TestALinkThatStaysDownIsGivenUp(t *testing.T) {
	s, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := small()
	c.role, c.sink, c.outage, c.giveUp = "gateway", s.addr(), 0, 50*time.Millisecond
	s.shut()
	r, err := run(c)
	if err != nil || r.Undelivered != r.Produced || r.Lost != nil || r.OutageS != nil || r.Failures == 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestASlowUplinkTakesItsTime(t *testing.T) {
	c := small()
	c.uplink = 20 // twice the sensors' 10 a second
	c.after = 90 * time.Second
	r, err := run(c)
	if err != nil {
		t.Fatal(err)
	}
	if r.SyncScaledS == nil || *r.SyncScaledS < 30 || *r.SyncScaledS > 90 || *r.Lost != 0 {
		t.Errorf("%+v", r)
	}
}

func TestTheRing(t *testing.T) {
	c := newCache(10*header, header)
	for range 25 {
		c.add(func(slot []byte, seq uint64) { binary.BigEndian.PutUint64(slot, seq) })
	}
	buffer := make([]byte, 10*header)
	n, ok := c.batch(buffer, 10)
	if first := binary.BigEndian.Uint64(buffer); n != 10 || !ok || first != 15 {
		t.Errorf("%d messages from %d on", n, first)
	}
	c.delivered(20)
	if evicted, peak := c.counts(); c.backlog() != 5 || evicted != 15 || peak != 10 {
		t.Errorf("backlog %d, evicted %d, peak %d", c.backlog(), evicted, peak)
	}
	c.delivered(99) // no further than there are messages
	c.close()
	if _, ok := c.batch(buffer, 10); ok || c.backlog() != 0 {
		t.Error("not empty")
	}
}

func TestMistakes(t *testing.T) {
	for _, change := range []func(*config){
		func(c *config) { c.message = 8 },
		func(c *config) { c.role = "sensor" },
		func(c *config) { c.role = "gateway" },
	} {
		c := small()
		change(&c)
		if _, err := run(c); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
}
