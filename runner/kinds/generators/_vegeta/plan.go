package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// plan says how many requests are to be sent, and when after the begin each of them.
type plan interface {
	planned() uint64
	at(n uint64) time.Duration
	Rate(elapsed time.Duration) float64
}

// seconds rounds: a time on an edge between two intervals is not to fall before it.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }

// planOf makes the plan of the one of rate, shape and file that was given.
func planOf(rate float64, shape, file, share string, duration float64) (plan, error) {
	if file != "" {
		return readTimes(file, share)
	}
	if shape != "" {
		return readLines(shape)
	}
	// a hair more than a whole number of requests is no further request
	return &constant{rate, uint64(rate*duration + 1e-6)}, nil
}

// constant plans request n at n/rate.
type constant struct {
	rate float64
	many uint64
}

func (c *constant) planned() uint64            { return c.many }
func (c *constant) at(n uint64) time.Duration  { return seconds(float64(n) / c.rate) }
func (c *constant) Rate(time.Duration) float64 { return c.rate }

// point is a rate at a time; between two of them the rate is a straight line.
type point struct{ t, rate float64 }

// lines plans request n at the time at which the area below the rate comes to n.
type lines struct {
	points []point
	before []float64 // requests before each point
}

func readLines(text string) (*lines, error) {
	found := &lines{}
	sum := 0.0
	for _, part := range strings.Split(text, ",") {
		t, rate, _ := strings.Cut(part, ":")
		one := point{}
		var first, second error
		one.t, first = strconv.ParseFloat(t, 64)
		one.rate, second = strconv.ParseFloat(rate, 64)
		if first != nil || second != nil || one.rate < 0 {
			return nil, fmt.Errorf("-shape: %q is not SECONDS:RATE", part)
		}
		if n := len(found.points); n > 0 {
			last := found.points[n-1]
			if one.t < last.t {
				return nil, fmt.Errorf("-shape: %q is before %g s", part, last.t)
			}
			sum += (one.t - last.t) * (one.rate + last.rate) / 2
		}
		found.points = append(found.points, one)
		found.before = append(found.before, sum)
	}
	return found, nil
}

func (l *lines) planned() uint64 { return uint64(l.before[len(l.before)-1] + 1e-6) }

func (l *lines) at(n uint64) time.Duration {
	last := len(l.points) - 1
	for i := 0; i < last; i++ {
		if float64(n) >= l.before[i+1] && i+1 < last {
			continue
		}
		a, b := l.points[i], l.points[i+1]
		area := max(0, float64(n)-l.before[i])
		if b.t == a.t || area == 0 {
			return seconds(a.t)
		}
		// area = rate·x + slope/2·x², solved for x in the form that has no difference of like numbers
		slope := (b.rate - a.rate) / (b.t - a.t)
		root := math.Sqrt(max(0, a.rate*a.rate+2*slope*area))
		return seconds(a.t + 2*area/(a.rate+root))
	}
	return 0
}

func (l *lines) Rate(elapsed time.Duration) float64 {
	for i := len(l.points) - 1; i > 0; i-- {
		a, b := l.points[i-1], l.points[i]
		if now := elapsed.Seconds(); now >= a.t && b.t > a.t {
			return a.rate + (b.rate-a.rate)*min(1, (now-a.t)/(b.t-a.t))
		}
	}
	return l.points[0].rate
}

// times plans request n at the n-th time of a file.
type times []time.Duration

func readTimes(path, share string) (times, error) {
	first, of, _ := strings.Cut(share, "/")
	k, err := strconv.Atoi(first)
	n, wrong := strconv.Atoi(of)
	if err != nil || wrong != nil || n < 1 || k < 0 || k >= n {
		return nil, fmt.Errorf("-share: %q is not K/N", share)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	found := times{}
	scanner := bufio.NewScanner(file)
	for i := 0; scanner.Scan(); i++ {
		at, err := strconv.ParseFloat(strings.TrimSpace(scanner.Text()), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if i%n == k {
			found = append(found, seconds(at))
		}
	}
	return found, scanner.Err()
}

func (t times) planned() uint64            { return uint64(len(t)) }
func (t times) at(n uint64) time.Duration  { return t[n] }
func (t times) Rate(time.Duration) float64 { return 0 }

// intervals counts requests by the time at which they were planned, sent and answered.
type intervals struct {
	EveryS   float64  `json:"every_s"`
	Planned  []uint64 `json:"planned"`
	Sent     []uint64 `json:"sent"`
	Answered []uint64 `json:"answered"`
	every    time.Duration
}

// newIntervals counts what is planned; nil where no interval was asked for.
func newIntervals(every float64, duration time.Duration, wanted plan) *intervals {
	if every <= 0 {
		return nil
	}
	n := int(math.Ceil(duration.Seconds()/every - 1e-9))
	found := &intervals{every, make([]uint64, n), make([]uint64, n), make([]uint64, n), seconds(every)}
	for i := uint64(0); i < wanted.planned(); i++ {
		count(found.Planned, wanted.at(i), found.every)
	}
	return found
}

// count leaves out what is later than the last interval, as answers may be.
func count(in []uint64, at, every time.Duration) {
	if i := int(at / every); i >= 0 && i < len(in) {
		in[i]++
	}
}

func (v *intervals) sent(at time.Duration) {
	if v != nil {
		count(v.Sent, at, v.every)
	}
}

func (v *intervals) answered(at time.Duration) {
	if v != nil {
		count(v.Answered, at, v.every)
	}
}
