// Package proc reads what the kernel says of this process.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Status returns one size of /proc/self/status, for example VmRSS, in KiB.
func Status(name string) (int64, error) {
	return field("/proc/self/status", name)
}

// Available returns MemAvailable in bytes.
func Available() (int64, error) {
	kib, err := field("/proc/meminfo", "MemAvailable")
	return kib << 10, err
}

// Smaps returns one size of /proc/self/smaps_rollup, for example Rss, in KiB.
// It is exact, where Status may lag by some pages per CPU.
func Smaps(name string) (int64, error) {
	return field("/proc/self/smaps_rollup", name)
}

func field(path, name string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		return strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
	}
	return 0, fmt.Errorf("%s says no %s", path, name)
}
