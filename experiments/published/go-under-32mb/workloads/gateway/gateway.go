package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

// batchSize is how many messages wait for one acknowledgement, at most.
const batchSize = 512

// uplink carries the cache's messages to the sink, over every outage.
type uplink struct {
	cache   *cache
	addr    string
	timeout time.Duration // of one acknowledgement
	retry   time.Duration // between two attempts to connect
	rate    float64       // messages per second; 0: as fast as it goes

	mu       sync.Mutex
	outages  []outage
	failures int // attempts to connect that failed
	end      bool
}

// outage is what the gateway saw of one: from the first failure to the first
// batch acknowledged after it, then until the backlog was gone.
type outage struct {
	down, up, synced time.Time
	backlog          uint64 // when the link was up again
}

// run ends when the cache is closed and empty, or after giveUp.
func (u *uplink) run(done chan<- struct{}) {
	defer close(done)
	most := batchSize
	if u.rate > 0 { // a fiftieth of a second, so that a slow link is smooth
		most = max(1, min(most, int(u.rate/50)))
	}
	buffer := make([]byte, 8+most*u.cache.size)
	var conn net.Conn
	var sent float64
	var since time.Time
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for {
		n, ok := u.cache.batch(buffer[8:], most)
		if !ok {
			return
		}
		err := error(nil)
		if conn == nil {
			if conn, err = u.connect(); err == nil {
				sent, since = 0, time.Now()
			}
		}
		if err == nil {
			err = u.send(conn, buffer, n)
		}
		if err != nil {
			if conn != nil {
				conn.Close()
				conn = nil
			}
			if u.failed() {
				return
			}
			time.Sleep(u.retry)
			continue
		}
		u.delivered(n < most)
		if sent += float64(n); u.rate > 0 {
			time.Sleep(time.Until(since.Add(time.Duration(sent / u.rate * float64(time.Second)))))
		}
	}
}

func (u *uplink) connect() (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", u.addr, u.timeout)
	if err != nil {
		return nil, err
	}
	_, err = conn.Write(binary.BigEndian.AppendUint64(nil, uint64(u.cache.size)))
	return conn, err
}

func (u *uplink) send(conn net.Conn, buffer []byte, n int) error {
	conn.SetDeadline(time.Now().Add(u.timeout))
	binary.BigEndian.PutUint64(buffer, uint64(n))
	if _, err := conn.Write(buffer[:8+n*u.cache.size]); err != nil {
		return err
	}
	next, err := number(conn)
	if err != nil {
		return err
	}
	last := binary.BigEndian.Uint64(buffer[8+(n-1)*u.cache.size:])
	if next != last+1 {
		return fmt.Errorf("%w: %d after %d", errAck, next, last)
	}
	u.cache.delivered(next)
	return nil
}

// failed notes the start of an outage; it returns true when it is time to give up.
func (u *uplink) failed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failures++
	if n := len(u.outages); n == 0 || !u.outages[n-1].up.IsZero() {
		u.outages = append(u.outages, outage{down: time.Now()})
	}
	return u.end
}

// delivered notes the end of an outage, and of the backlog that it left: the
// first batch that held all there was.
func (u *uplink) delivered(all bool) {
	backlog := u.cache.backlog()
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.outages)
	if n == 0 {
		return
	}
	last := &u.outages[n-1]
	if last.up.IsZero() {
		last.up, last.backlog = time.Now(), backlog
	}
	if last.synced.IsZero() && (all || backlog == 0) {
		last.synced = time.Now()
	}
}

// giveUp makes run end at the next failure.
func (u *uplink) giveUp() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.end = true
}

func (u *uplink) seen() (outages []outage, failures int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]outage(nil), u.outages...), u.failures
}
