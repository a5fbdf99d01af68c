package proc

import (
	"fmt"
	"os"
	"strings"
)

// Mapping is one line of /proc/self/maps.
type Mapping struct {
	Start, End uint64
	Name       string
}

// Maps returns the mappings of this process, in the order of their addresses.
func Maps() ([]Mapping, error) {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	var found []Mapping
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var m Mapping
		if _, err := fmt.Sscanf(line, "%x-%x", &m.Start, &m.End); err != nil {
			return nil, fmt.Errorf("/proc/self/maps: %q: %w", line, err)
		}
		if words := strings.Fields(line); len(words) > 5 {
			m.Name = strings.Join(words[5:], " ")
		}
		found = append(found, m)
	}
	return found, nil
}
