package main

import (
	"os"
	"strings"
	"testing"
)

func TestSmallPagesFaultOnceEach(t *testing.T) {
	const bytes = 32 << 20
	pages := int64(bytes / os.Getpagesize())
	r, err := run("nohuge", bytes)
	if err != nil {
		t.Fatal(err)
	}
	if r.MinorFaults < pages || r.MinorFaults > pages+pages/20 {
		t.Errorf("%d faults for %d pages", r.MinorFaults, pages)
	}
	// 8 bytes per page, and a few upper levels
	if want := pages * 8 >> 10; r.PTEKiB < want || r.PTEKiB > want+32 {
		t.Errorf("page tables grew by %d KiB, not by about %d", r.PTEKiB, want)
	}
	if r.HugeKiB != 0 {
		t.Errorf("%d KiB in huge pages", r.HugeKiB)
	}
}

func TestTransparentHugePagesFaultLess(t *testing.T) {
	r, err := run("thp", 32<<20)
	if err != nil || strings.Contains(r.THP, "[never]") {
		t.Skip("no transparent huge pages here: ", err)
	}
	if r.HugeKiB < 16<<10 {
		t.Skip("the kernel gave few huge pages: ", r.HugeKiB)
	}
	if r.MinorFaults > 4096 {
		t.Errorf("%d faults", r.MinorFaults)
	}
}

func TestGoHeapAndPlain(t *testing.T) {
	for _, mode := range []string{"goheap", "4k"} {
		r, err := run(mode, 16<<20)
		if err != nil {
			t.Fatal(err)
		}
		if r.RSSKiB < 15<<10 || r.MinorFaults == 0 {
			t.Errorf("%s: %+v", mode, r)
		}
	}
}

func TestHugetlbNeedsItsPool(t *testing.T) {
	r, err := run("hugetlb", 32<<20)
	if r.NrHugepages == "0" && (err == nil || !strings.Contains(err.Error(), "vm.nr_hugepages is 0")) {
		t.Errorf("error: %v", err)
	}
	if _, err := run("gigantic", 1); err == nil {
		t.Error("no error for an unknown mode")
	}
}
