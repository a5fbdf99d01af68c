// Command vegeta attacks a URL at given times (an open model): at a constant rate, at one that
// changes in straight lines, or at the times of a file.
//
// It is the attacker of github.com/tsenart/vegeta with two things of its own: latency is
// counted from the time at which a request was meant to start, and not from when a worker
// was free for it (no coordinated omission); and every request is one line of the log,
// "intended start in µs since the epoch, status (-1: failed, -2: timed out), latency in µs", as h2load
// writes it. A summary goes to stdout as one line of JSON, with the requests planned, sent and
// answered in each interval of the attack.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// pacer lets vegeta send request n at its planned time, and ends with the last planned one.
type pacer struct {
	plan
	began time.Time
}

func (p *pacer) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if p.began.IsZero() {
		p.began = time.Now().Add(-elapsed)
	}
	if hits >= p.planned() {
		return 0, true
	}
	return p.at(hits) - elapsed, false
}

// service is the time from a request's real start, where the client's own queue is left out.
type service struct {
	Mean float64 `json:"mean_s"`
	P50  float64 `json:"p50_s"`
	P90  float64 `json:"p90_s"`
	P95  float64 `json:"p95_s"`
	P99  float64 `json:"p99_s"`
	Min  float64 `json:"min_s"`
	Max  float64 `json:"max_s"`
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(text string) error {
	*l = append(*l, text)
	return nil
}

// request is what is sent to each URL.
type request struct {
	Method    string      `json:"method"`
	Headers   [][2]string `json:"headers"`
	Body      []byte      `json:"body"`
	KeepAlive bool        `json:"keep_alive"`
	Insecure  bool        `json:"insecure"`
	CA        string      `json:"ca"`
}

func (r request) targets(urls []string) (found []vegeta.Target) {
	header := http.Header{}
	for _, pair := range r.Headers {
		header.Add(pair[0], pair[1])
	}
	for _, url := range urls {
		found = append(found, vegeta.Target{Method: r.Method, URL: url, Body: r.Body, Header: header})
	}
	return found
}

// trust gives the authorities that certificates are checked against: the host's own without a file.
func (r request) trust() (*x509.CertPool, error) {
	if r.CA == "" {
		return nil, nil
	}
	text, err := os.ReadFile(r.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate as PEM", r.CA)
	}
	return pool, nil
}

type summary struct {
	Rate     float64        `json:"rate"`
	Planned  uint64         `json:"planned"`
	Sent     uint64         `json:"sent"`
	Answered uint64         `json:"answered"`
	Bytes    uint64         `json:"bytes"`
	AttackS  float64        `json:"attack_s"`
	LastS    float64        `json:"last_answer_s"`
	Errors   map[string]int `json:"errors"`
	Said     string         `json:"said,omitempty"`
	Service  *service       `json:"service,omitempty"`
	Over     *intervals     `json:"over,omitempty"`
}

// kind tells errors of the client's own host from those of the server's side.
func kind(said string) string {
	for name, words := range map[string][]string{
		"local": {"too many open files", "cannot assign requested address",
			"no buffer space", "cannot allocate memory"},
		"timeout": {"Client.Timeout", "context deadline exceeded", "i/o timeout"},
	} {
		for _, word := range words {
			if strings.Contains(said, word) {
				return name
			}
		}
	}
	if strings.Contains(said, "dial tcp") || strings.Contains(said, "connection refused") {
		return "connect"
	}
	if strings.Contains(said, "write tcp") {
		return "write"
	}
	return "read"
}

func run() error {
	var urls list
	flag.Var(&urls, "url", "URL to ask; several are asked in turn")
	asked := flag.String("request", "", "file that says the rest of a request, as JSON")
	rate := flag.Float64("rate", 0, "requests per second")
	shape := flag.String("shape", "", "instead of a rate: SECONDS:RATE,… joined by straight lines")
	arrivals := flag.String("arrivals", "", "instead of a rate: file of times, seconds since the start")
	share := flag.String("share", "0/1", "K/N: of the file's times every N-th, from the K-th on")
	every := flag.Float64("every", 0, "seconds of each interval in which requests are counted")
	duration := flag.Duration("duration", time.Second, "how long requests are sent")
	workers := flag.Uint64("workers", 1, "most requests in flight")
	timeout := flag.Duration("timeout", 2*time.Second, "time for one answer, from its real start")
	threads := flag.Int("threads", 1, "threads that run Go code")
	path := flag.String("log", "", "file for a line per request")
	flag.Parse()
	given := *rate > 0 || *shape != "" || *arrivals != ""
	if len(urls) == 0 || !given || *path == "" {
		return fmt.Errorf("needs -url, -rate and -log")
	}
	wanted, err := planOf(*rate, *shape, *arrivals, *share, duration.Seconds())
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(*threads)
	ask := request{Method: "GET", KeepAlive: true}
	if *asked != "" {
		text, err := os.ReadFile(*asked)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &ask); err != nil {
			return fmt.Errorf("%s: %w", *asked, err)
		}
	}
	pool, err := ask.trust()
	if err != nil {
		return err
	}
	file, err := os.Create(*path)
	if err != nil {
		return err
	}
	log := bufio.NewWriterSize(file, 1<<20)

	most := int(*workers)
	attacker := vegeta.NewAttacker(
		vegeta.Timeout(*timeout), vegeta.Workers(min(*workers, 10)), vegeta.MaxWorkers(*workers),
		vegeta.Connections(most), vegeta.MaxConnections(most),
		vegeta.KeepAlive(ask.KeepAlive),
		vegeta.TLSConfig(&tls.Config{InsecureSkipVerify: ask.Insecure, RootCAs: pool}),
		vegeta.HTTP2(false), vegeta.Redirects(vegeta.NoFollow), vegeta.MaxBody(1<<20),
	)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range stop {
			attacker.Stop()
		}
	}()

	plan := &pacer{plan: wanted}
	found := summary{Rate: float64(wanted.planned()) / duration.Seconds(), Planned: wanted.planned(),
		AttackS: duration.Seconds(), Errors: map[string]int{}}
	if *shape == "" && *arrivals == "" {
		found.Rate = *rate
	}
	found.Over = newIntervals(*every, *duration, wanted)
	var own vegeta.LatencyMetrics
	target := vegeta.NewStaticTargeter(ask.targets(urls)...)
	for result := range attacker.Attack(target, plan, *duration, "") {
		meant := plan.began.Add(plan.at(result.Seq))
		ended := result.Timestamp.Add(result.Latency)
		found.Sent++
		found.Over.sent(result.Timestamp.Sub(plan.began))
		status := int(result.Code)
		if status == 0 {
			status = -1
			how := kind(result.Error)
			found.Errors[how]++
			if how == "timeout" {
				// it has taken at least so long: without these a p99 would hide them
				status = -2
				own.Add(result.Latency)
			}
			found.Said = result.Error
		} else {
			found.Answered++
			found.Over.answered(ended.Sub(plan.began))
			found.Bytes += result.BytesIn
			own.Add(result.Latency)
			found.LastS = max(found.LastS, ended.Sub(plan.began).Seconds())
			if status < 200 || status > 299 {
				found.Errors["status"]++
			}
		}
		fmt.Fprintf(log, "%d\t%d\t%d\n", meant.UnixMicro(), status, ended.Sub(meant).Microseconds())
	}
	if taken := found.Answered + uint64(found.Errors["timeout"]); taken > 0 {
		q := func(p float64) float64 { return own.Quantile(p).Seconds() }
		found.Service = &service{
			Mean: own.Total.Seconds() / float64(taken),
			P50:  q(0.5), P90: q(0.9), P95: q(0.95), P99: q(0.99),
			Min: own.Min.Seconds(), Max: own.Max.Seconds(),
		}
	}
	if err := log.Flush(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vegeta:", err)
		os.Exit(1)
	}
}
