package main

import "sync"

// cache is the gateway's bounded memory: a ring of messages of one size. When
// it is full the oldest message makes room, which is what an LRU cache does to
// messages that are never read twice.
type cache struct {
	mu      sync.Mutex
	filled  sync.Cond
	size    int // of one message
	slots   uint64
	data    []byte
	tail    uint64 // sequence number of the oldest message kept
	head    uint64 // of the next one
	evicted uint64
	peak    uint64
	closed  bool
}

func newCache(bytes int64, size int) *cache {
	slots := max(uint64(bytes)/uint64(size), 1)
	// touched only as far as it is filled, the rest is address space
	c := &cache{size: size, slots: slots, data: make([]byte, slots*uint64(size))}
	c.filled.L = &c.mu
	return c
}

// add keeps one message and returns its sequence number.
func (c *cache) add(write func(slot []byte, seq uint64)) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.head-c.tail == c.slots {
		c.tail++
		c.evicted++
	}
	seq := c.head
	write(c.slot(seq), seq)
	c.head++
	c.peak = max(c.peak, c.head-c.tail)
	c.filled.Signal()
	return seq
}

// batch copies up to most of the oldest messages into buffer. It waits for the
// first one; it returns false when the cache is closed and empty.
func (c *cache) batch(buffer []byte, most int) (n int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.head == c.tail && !c.closed {
		c.filled.Wait()
	}
	for seq := c.tail; seq < c.head && n < most; seq++ {
		copy(buffer[n*c.size:], c.slot(seq))
		n++
	}
	return n, n > 0
}

// delivered forgets all messages before seq.
func (c *cache) delivered(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tail = max(c.tail, min(seq, c.head))
}

// close lets batch end when all is delivered.
func (c *cache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.filled.Broadcast()
}

func (c *cache) backlog() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head - c.tail
}

func (c *cache) counts() (evicted, peak uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.evicted, c.peak
}

func (c *cache) slot(seq uint64) []byte {
	at := seq % c.slots * uint64(c.size)
	return c.data[at : at+uint64(c.size)]
}
