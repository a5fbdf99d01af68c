// Command touch writes to every page of a piece of memory once, and says what
// that cost in page faults and page tables.
//
//	touch -mode 4k|nohuge|thp|hugetlb|goheap -bytes 33554432
//
// 4k is a plain anonymous mmap, left to the system's policy for huge pages;
// nohuge asks for none (MADV_NOHUGEPAGE), thp for transparent ones
// (MADV_HUGEPAGE); hugetlb takes them from the pool of vm.nr_hugepages
// (MAP_HUGETLB), which is something else and not charged to a memory cgroup;
// goheap is a []byte of the Go heap. Prints JSON.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"

	"workloads/internal/out"
	"workloads/internal/proc"
)

const (
	rusageThread   = 1
	madvHugepage   = 14
	madvNohugepage = 15
	mapHugetlb     = 0x40000
)

type result struct {
	Mode      string `json:"mode"`
	Bytes     int    `json:"bytes"`
	PageBytes int    `json:"page_bytes"`
	// MinorFaults of the thread that mapped and touched the memory, and no other.
	MinorFaults  int64  `json:"minor_faults"`
	MajorFaults  int64  `json:"major_faults"`
	PTEBeforeKiB int64  `json:"vm_pte_before_kib"`
	PTEAfterKiB  int64  `json:"vm_pte_after_kib"`
	PTEKiB       int64  `json:"vm_pte_added_kib"`
	RSSKiB       int64  `json:"rss_added_kib"`
	HugeKiB      int64  `json:"anon_huge_kib"`
	HugetlbKiB   int64  `json:"hugetlb_kib"`
	THP          string `json:"thp"`
	NrHugepages  string `json:"nr_hugepages"`
}

func main() {
	mode := flag.String("mode", "4k", "4k, nohuge, thp, hugetlb or goheap")
	bytes := flag.Int("bytes", 32<<20, "how much")
	flag.Parse()
	r, err := run(*mode, *bytes)
	if err != nil {
		out.Fail(err)
	}
	out.Print(r)
}

func run(mode string, bytes int) (result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // no collection in between

	r := result{
		Mode: mode, Bytes: bytes, PageBytes: os.Getpagesize(),
		THP:         kernel("/sys/kernel/mm/transparent_hugepage/enabled"),
		NrHugepages: kernel("/proc/sys/vm/nr_hugepages"),
	}
	before, err := read() // twice: the first reading allocates
	if err == nil {
		before, err = read()
	}
	if err != nil {
		return r, err
	}
	faults := usage()
	memory, unmap, err := get(mode, bytes)
	if err != nil {
		return r, err
	}
	for at := 0; at < len(memory); at += r.PageBytes {
		memory[at] = 1
	}
	used := usage()
	after, err := read()
	if err != nil {
		return r, err
	}
	runtime.KeepAlive(memory)
	unmap()

	r.MinorFaults = int64(used.Minflt - faults.Minflt)
	r.MajorFaults = int64(used.Majflt - faults.Majflt)
	r.PTEBeforeKiB, r.PTEAfterKiB = before.pte, after.pte
	r.PTEKiB = after.pte - before.pte
	r.RSSKiB = after.rss - before.rss
	r.HugeKiB = after.huge - before.huge
	r.HugetlbKiB = after.hugetlb - before.hugetlb
	return r, nil
}

// get returns memory that nobody has touched yet, and what gives it back.
func get(mode string, bytes int) ([]byte, func(), error) {
	flags, advice := syscall.MAP_PRIVATE|syscall.MAP_ANON, 0
	switch mode {
	case "4k":
	case "nohuge":
		advice = madvNohugepage
	case "thp":
		advice = madvHugepage
	case "hugetlb":
		flags |= mapHugetlb
	case "goheap":
		return make([]byte, bytes), func() {}, nil
	default:
		return nil, nil, fmt.Errorf("-mode %q: 4k, nohuge, thp, hugetlb or goheap", mode)
	}
	// a huge page has to start at a multiple of its size, so ask for one more
	huge, err := hugeBytes(mode)
	if err != nil {
		return nil, nil, err
	}
	all, err := syscall.Mmap(-1, 0, bytes+huge, syscall.PROT_READ|syscall.PROT_WRITE, flags)
	if err != nil {
		return nil, nil, fmt.Errorf("mmap for %s: %w (vm.nr_hugepages is %s)", mode, err, kernel("/proc/sys/vm/nr_hugepages"))
	}
	unmap := func() { syscall.Munmap(all) }
	memory := all
	if huge > 0 {
		start := -int(uintptr(unsafe.Pointer(&all[0]))) & (huge - 1)
		memory = all[start:]
	}
	memory = memory[:bytes]
	if advice != 0 {
		if err := syscall.Madvise(memory, advice); err != nil {
			unmap()
			return nil, nil, fmt.Errorf("madvise for %s: %w", mode, err)
		}
	}
	return memory, unmap, nil
}

func hugeBytes(mode string) (int, error) {
	if mode != "thp" {
		return 0, nil
	}
	size := kernel("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
	var bytes int
	if _, err := fmt.Sscan(size, &bytes); err != nil {
		return 0, fmt.Errorf("this kernel has no transparent huge pages")
	}
	return bytes, nil
}

type reading struct{ pte, rss, huge, hugetlb int64 }

func read() (reading, error) {
	var r reading
	var err error
	for _, want := range []struct {
		into *int64
		from func(string) (int64, error)
		name string
	}{
		{&r.pte, proc.Status, "VmPTE"},
		{&r.rss, proc.Smaps, "Rss"},
		{&r.huge, proc.Smaps, "AnonHugePages"},
		{&r.hugetlb, proc.Smaps, "Private_Hugetlb"},
	} {
		if *want.into, err = want.from(want.name); err != nil {
			return r, err
		}
	}
	return r, nil
}

func usage() syscall.Rusage {
	var u syscall.Rusage
	syscall.Getrusage(rusageThread, &u)
	return u
}

func kernel(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
