package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// The protocol: the gateway says how large its messages are, then sends batches
// (their number, then the messages) and waits after each for the sequence number
// up to which the sink has them. All numbers are 8 bytes, big-endian. A message
// starts with its sequence number, its sensor and the time it was made.
const header = 24

// sink takes messages in order and counts each once.
type sink struct {
	mu         sync.Mutex
	next       uint64 // sequence number expected
	unique     uint64
	duplicates uint64
	missing    uint64 // numbers that were skipped for good
	listener   net.Listener
	conns      map[net.Conn]bool
}

func listen(addr string) (*sink, error) {
	s := &sink{conns: map[net.Conn]bool{}}
	return s, s.open(addr)
}

func (s *sink) open(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.listener = listener
	s.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = true
			s.mu.Unlock()
			go s.serve(conn)
		}
	}()
	return nil
}

func (s *sink) addr() string { return s.listener.Addr().String() }

// shut is the outage: nobody listens, and what was connected is cut.
func (s *sink) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener.Close()
	for conn := range s.conns {
		conn.Close()
	}
	clear(s.conns)
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 1<<16)
	size, err := number(r)
	if err != nil || size < header || size > 1<<20 {
		return
	}
	message := make([]byte, size)
	for {
		n, err := number(r)
		if err != nil {
			return
		}
		for range n {
			if _, err := io.ReadFull(r, message); err != nil {
				return
			}
			s.take(binary.BigEndian.Uint64(message))
		}
		s.mu.Lock()
		next := s.next
		s.mu.Unlock()
		if _, err := conn.Write(binary.BigEndian.AppendUint64(nil, next)); err != nil {
			return
		}
	}
}

func (s *sink) take(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq < s.next {
		s.duplicates++
		return
	}
	s.missing += seq - s.next
	s.unique++
	s.next = seq + 1
}

func number(r io.Reader) (uint64, error) {
	var b [8]byte
	_, err := io.ReadFull(r, b[:])
	return binary.BigEndian.Uint64(b[:]), err
}

var errAck = errors.New("the sink acknowledged what was never sent")
