package proc

import "testing"

func TestFields(t *testing.T) {
	rss, err := Status("VmRSS")
	if err != nil || rss < 100 {
		t.Errorf("VmRSS: %d KiB, %v", rss, err)
	}
	if exact, err := Smaps("Rss"); err != nil || exact < 100 {
		t.Errorf("Rss: %d KiB, %v", exact, err)
	}
	if free, err := Available(); err != nil || free < 1<<20 {
		t.Errorf("MemAvailable: %d, %v", free, err)
	}
	if _, err := Status("VmNothing"); err == nil {
		t.Error("a field that is not there is not 0")
	}
}
