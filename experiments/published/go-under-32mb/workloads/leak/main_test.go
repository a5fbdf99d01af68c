package main

import (
	"testing"
	"time"
)

func TestNoLauncherEndsAGoroutine(t *testing.T) {
	for _, launcher := range []string{"none", "controlled", "waiting"} {
		for function, left := range map[string]int{"leaky": 8, "deaf": 8, "heeding": 0, "clean": 0} {
			r, err := run(config{function, launcher, 8, 4096, 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if r.Goroutines != left {
				t.Errorf("%s, %s: %d goroutines left", launcher, function, r.Goroutines)
			}
			held := int64(left) * 4096
			if r.Growth < held-2048 || r.Growth > held+16384 {
				t.Errorf("%s, %s: grew by %d bytes", launcher, function, r.Growth)
			}
		}
	}
}

func TestTheArticlesLauncherAlwaysWaitsForItsTimeout(t *testing.T) {
	r, err := run(config{"clean", "controlled", 1, 64, 100 * time.Millisecond})
	if err != nil || r.Seconds < 0.1 || r.Error == nil {
		t.Errorf("%+v %v", r, err)
	}
	r, err = run(config{"clean", "waiting", 1, 64, 100 * time.Millisecond})
	if err != nil || r.Seconds > 0.09 || r.Error != nil {
		t.Errorf("%+v %v", r, err)
	}
	r, err = run(config{"deaf", "waiting", 1, 64, 10 * time.Millisecond})
	if err != nil || r.Error == nil || *r.Error != errLeftBehind.Error() {
		t.Errorf("%+v %v", r, err)
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []config{{function: "lossy", launcher: "none"}, {function: "leaky", launcher: "rocket"}} {
		if _, err := run(c); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
}
