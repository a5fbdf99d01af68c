// Command certreload rotates the certificate of a TLS server under load and
// counts the requests that fail.
//
//	certreload -mode hot -rotations 20 -every 500ms -clients 4 -keepalive=false
//
// Every rotation writes a new key and certificate to disk, then:
//
//	hot      the server reads them and answers the next handshake with them
//	restart  the server is closed and a new one opened, as without reloading
//	torn     as hot, but the certificate is written in place in two halves, and
//	         read in between: a reload that fails has to leave the old one
//
// Clients verify the server against a CA of their own; a request fails when it
// gives an error or any status but 200. (With -keepalive a request is one of
// net/http's client, which itself repeats a GET when the kept-alive connection
// turns out to be closed.) Prints JSON.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"workloads/internal/out"
)

type config struct {
	mode      string
	rotations int
	every     time.Duration
	clients   int
	keepAlive bool
}

type result struct {
	Mode      string  `json:"mode"`
	Rotations int     `json:"rotations"`
	Clients   int     `json:"clients"`
	KeepAlive bool    `json:"keepalive"`
	Seconds   float64 `json:"seconds"`
	Requests  int64   `json:"requests"`
	Failed    int64   `json:"failed"`
	// FailedPer is counted from one rotation to the next.
	FailedPer         []int64 `json:"failed_per_rotation"`
	FailedPerRotation float64 `json:"failed_per_rotation_mean"`
	Handshakes        int64   `json:"handshakes"`
	// Certificates is the number of different ones that clients were shown.
	Certificates int `json:"certificates_seen"`
	// Stale is the number of handshakes begun after a reload had returned that
	// were still answered with an older certificate.
	Stale          int64   `json:"stale_handshakes"`
	ReloadErrors   int64   `json:"reload_errors"`
	ReloadMaxS     float64 `json:"reload_max_s"`
	FirstError     string  `json:"first_error"`
	RequestsPerSec float64 `json:"requests_per_s"`
}

func main() {
	var c config
	flag.StringVar(&c.mode, "mode", "hot", "hot, restart or torn")
	flag.IntVar(&c.rotations, "rotations", 20, "how many")
	flag.DurationVar(&c.every, "every", 500*time.Millisecond, "interval of the rotations")
	flag.IntVar(&c.clients, "clients", 4, "clients asking without pause")
	flag.BoolVar(&c.keepAlive, "keepalive", false, "keep connections over requests; else each has its handshake")
	flag.Parse()
	r, err := run(c)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(c config) (result, error) {
	r := result{Mode: c.mode, Rotations: c.rotations, Clients: c.clients, KeepAlive: c.keepAlive}
	if c.mode != "hot" && c.mode != "restart" && c.mode != "torn" {
		return r, fmt.Errorf("-mode %q: hot, restart or torn", c.mode)
	}
	folder, err := os.MkdirTemp("", "certreload")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(folder)
	ca, err := newAuthority()
	if err != nil {
		return r, err
	}
	s := &server{cert: filepath.Join(folder, "cert.pem"), key: filepath.Join(folder, "key.pem")}
	if err := s.write(ca, 1); err != nil {
		return r, err
	}
	if err := s.reload(); err != nil {
		return r, err
	}
	if err := s.start("127.0.0.1:0"); err != nil {
		return r, err
	}
	load := startLoad(c, s, ca)
	start := time.Now()
	for n := range c.rotations {
		time.Sleep(c.every)
		failed := load.failed.Load()
		took, err := s.rotate(c.mode, ca, int64(n)+2, &r.ReloadErrors)
		if err != nil {
			return r, err
		}
		r.ReloadMaxS = max(r.ReloadMaxS, took.Seconds())
		if n > 0 {
			r.FailedPer = append(r.FailedPer, failed-load.counted)
		}
		load.counted = failed
	}
	time.Sleep(c.every)
	r.Seconds = time.Since(start).Seconds()
	load.stop()
	s.http.Close()

	r.FailedPer = append(r.FailedPer, load.failed.Load()-load.counted)
	r.Requests, r.Failed = load.requests.Load(), load.failed.Load()
	r.Handshakes, r.Stale = load.handshakes.Load(), load.stale.Load()
	load.seen.Range(func(any, any) bool { r.Certificates++; return true })
	r.FailedPerRotation = float64(r.Failed) / float64(c.rotations)
	r.RequestsPerSec = float64(r.Requests) / r.Seconds
	if first := load.first.Load(); first != nil {
		r.FirstError = *first
	}
	return r, nil
}

// server answers every handshake with the certificate that was read last.
type server struct {
	cert, key string
	current   atomic.Pointer[tls.Certificate]
	serial    atomic.Int64 // of the last reload that has returned
	addr      string
	http      *http.Server
}

func (s *server) start(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.addr = listener.Addr().String()
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }),
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load(), nil
		}},
		ErrorLog: quiet,
	}
	go s.http.ServeTLS(listener, "", "")
	return nil
}

func (s *server) reload() error {
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return err // and the old one stays
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return err
	}
	s.current.Store(&pair)
	s.serial.Store(leaf.SerialNumber.Int64())
	return nil
}

func (s *server) rotate(mode string, ca *authority, serial int64, reloadErrors *int64) (time.Duration, error) {
	switch mode {
	case "torn":
		cert, key, err := ca.issue(serial)
		if err != nil {
			return 0, err
		}
		if err := errors.Join(os.WriteFile(s.key, key, 0o600), os.WriteFile(s.cert, cert[:len(cert)/2], 0o600)); err != nil {
			return 0, err
		}
		if s.reload() != nil {
			*reloadErrors++
		}
		if err := os.WriteFile(s.cert, cert, 0o600); err != nil {
			return 0, err
		}
	default:
		if err := s.write(ca, serial); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	if mode == "restart" {
		s.http.Close()
	}
	if err := s.reload(); err != nil {
		return 0, err
	}
	if mode == "restart" {
		if err := s.start(s.addr); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// write puts a new key and certificate in place, each by a rename.
func (s *server) write(ca *authority, serial int64) error {
	cert, key, err := ca.issue(serial)
	if err != nil {
		return err
	}
	for path, text := range map[string][]byte{s.key: key, s.cert: cert} {
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}

// load is the clients and what they have counted.
type load struct {
	requests, failed, handshakes, stale atomic.Int64

	first   atomic.Pointer[string]
	seen    sync.Map // serial → true
	counted int64
	end     atomic.Bool
	clients sync.WaitGroup
}

func startLoad(c config, s *server, ca *authority) *load {
	l := &load{}
	for range c.clients {
		l.clients.Add(1)
		go func() {
			defer l.clients.Done()
			l.ask(c, s, ca)
		}()
	}
	return l
}

func (l *load) stop() {
	l.end.Store(true)
	l.clients.Wait()
}

func (l *load) ask(c config, s *server, ca *authority) {
	transport := &http.Transport{
		DisableKeepAlives: !c.keepAlive,
		TLSClientConfig:   &tls.Config{RootCAs: ca.pool, ServerName: serverName},
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	url := "https://" + s.addr + "/"
	var last int64
	for !l.end.Load() {
		newest := s.serial.Load()
		resp, err := client.Get(url)
		l.requests.Add(1)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err == nil && resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
		}
		if err != nil {
			l.failed.Add(1)
			text := err.Error()
			l.first.CompareAndSwap(nil, &text)
			time.Sleep(time.Millisecond) // not a busy loop of refused connections
			continue
		}
		serial := resp.TLS.PeerCertificates[0].SerialNumber.Int64()
		l.seen.Store(serial, true)
		if !c.keepAlive || serial != last {
			l.handshakes.Add(1)
			if !c.keepAlive && serial < newest {
				l.stale.Add(1)
			}
		}
		last = serial
	}
}
