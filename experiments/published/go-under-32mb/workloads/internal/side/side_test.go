package side

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(body)
}

func TestStats(t *testing.T) {
	server := httptest.NewServer(Handler(0))
	defer server.Close()
	var before, after Stats
	if err := json.Unmarshal([]byte(get(t, server.URL+"/stats")), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(get(t, server.URL+"/gc")), &after); err != nil {
		t.Fatal(err)
	}
	if after.MemStats["NumGC"] <= before.MemStats["NumGC"] || after.MeanPauseNs == nil {
		t.Errorf("/gc did not collect: %v", after.MemStats)
	}
	if before.GoVersion != runtime.Version() || before.MemStats["HeapSys"] == 0 {
		t.Errorf("stats: %+v", before)
	}
	if n, ok := before.Metrics["/gc/stack/starting-size:bytes"].(float64); !ok || n != 2048 {
		t.Errorf("starting stack: %v", before.Metrics["/gc/stack/starting-size:bytes"])
	}
	get(t, server.URL+"/free")
}

func TestMetricsAreTakenAtTheirInterval(t *testing.T) {
	every := httptest.NewServer(Handler(0))
	defer every.Close()
	get(t, every.URL+"/metrics")
	text := get(t, every.URL+"/metrics")
	for _, want := range []string{"\ngo_mem_heap_alloc_mb ", "\ngo_mem_heap_sys_mb ", "\ngo_mem_reads_total 2\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	hourly := httptest.NewServer(Handler(time.Hour))
	defer hourly.Close()
	get(t, hourly.URL+"/metrics")
	if text := get(t, hourly.URL+"/metrics"); !strings.Contains(text, "\ngo_mem_reads_total 1\n") {
		t.Errorf("a scrape took the gauges:\n%s", text)
	}
}

func TestHeapDump(t *testing.T) {
	server := httptest.NewServer(Handler(0))
	defer server.Close()
	if dump := get(t, server.URL+"/heapdump"); !strings.HasPrefix(dump, "go1.7 heap dump\n") {
		t.Errorf("starts with %q", dump[:min(len(dump), 20)])
	}
	if get(t, server.URL+"/debug/pprof/heap") == "" {
		t.Error("no heap profile")
	}
}
