package main

import "testing"

func TestConnections(t *testing.T) {
	for _, state := range []string{"active", "idle"} {
		r, err := run(20, state)
		if err != nil {
			t.Fatal(err)
		}
		if r.Open.Goroutines < r.Idle.Goroutines+20 || r.StackPer < 2048 {
			t.Errorf("%s: %+v", state, r)
		}
		if r.ReadPer < 4096 || r.WritePer < 4096 {
			t.Errorf("%s: buffers of %.0f and %.0f bytes", state, r.ReadPer, r.WritePer)
		}
		if r.Survived > 0.1 {
			t.Errorf("%s: %.2f of the buffers survive", state, r.Survived)
		}
		if !r.Places.StackInArena || r.Places.HeapInBrk {
			t.Errorf("places: %+v", r.Places)
		}
	}
}

func TestUnknownState(t *testing.T) {
	if _, err := run(1, "dead"); err == nil {
		t.Error("no error")
	}
}
