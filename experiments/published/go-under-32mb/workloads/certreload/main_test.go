package main

import (
	"testing"
	"time"
)

func rotate(t *testing.T, mode string, keepAlive bool) result {
	t.Helper()
	r, err := run(config{mode: mode, rotations: 4, every: 100 * time.Millisecond, clients: 2, keepAlive: keepAlive})
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests == 0 || len(r.FailedPer) != r.Rotations {
		t.Errorf("%s: %+v", mode, r)
	}
	var sum int64
	for _, n := range r.FailedPer {
		sum += n
	}
	if sum > r.Failed {
		t.Errorf("%d failures, but %d by rotation", r.Failed, sum)
	}
	return r
}

func TestReloadingFailsNothing(t *testing.T) {
	for _, mode := range []string{"hot", "torn"} {
		r := rotate(t, mode, false)
		if r.Failed != 0 || r.Stale != 0 || r.Certificates < 2 || r.Certificates > 5 {
			t.Errorf("%s: %+v", mode, r)
		}
		if mode == "torn" && r.ReloadErrors != 4 {
			t.Errorf("a torn certificate was taken: %+v", r)
		}
	}
	// one connection a client, however late it is made: what it was shown then is all it sees
	if r := rotate(t, "hot", true); r.Failed != 0 || r.Handshakes != 2 || r.Certificates > 2 {
		t.Errorf("kept-alive connections do not see a new certificate: %+v", r)
	}
}

func TestRestartingFailsSome(t *testing.T) {
	if r := rotate(t, "restart", false); r.Failed == 0 || r.FirstError == "" {
		t.Skip("no request fell into a restart: ", r.Requests)
	}
}

func TestUnknownMode(t *testing.T) {
	if _, err := run(config{mode: "cold"}); err == nil {
		t.Error("no error")
	}
}
