package main

import "testing"

func TestIdleStacksShrink(t *testing.T) {
	for _, state := range []string{"waiting", "runnable"} {
		r, err := run(config{goroutines: 200, grow: 32 << 10, gcs: 6, state: state})
		if err != nil {
			t.Fatal(err)
		}
		// the runtime adapts the size that new stacks start with to those it has seen
		if r.StartingBytes < 2048 || r.StartingBytes > 8192 {
			t.Errorf("%s: starting size %d", state, r.StartingBytes)
		}
		if r.GrownPer < 30<<10 || r.Per > 9<<10 {
			t.Errorf("%s: %.0f bytes grown, %.0f settled", state, r.GrownPer, r.Per)
		}
	}
}

func TestStacksInUseStay(t *testing.T) {
	r, err := run(config{goroutines: 100, grow: 32 << 10, keep: 12 << 10, gcs: 6, state: "waiting"})
	if err != nil {
		t.Fatal(err)
	}
	if r.UsedBytes < 12<<10 || r.Per < 30<<10 {
		t.Errorf("uses %d of %.0f bytes", r.UsedBytes, r.Per)
	}
}

func TestStacksInSystemCallsStay(t *testing.T) {
	r, err := run(config{goroutines: 50, grow: 32 << 10, gcs: 6, state: "syscall"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Per < 30<<10 {
		t.Errorf("settled at %.0f bytes", r.Per)
	}
}

func TestUnknownState(t *testing.T) {
	if _, err := run(config{goroutines: 1, state: "dead"}); err == nil {
		t.Error("no error")
	}
}
