package httpbench

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/valyala/fasthttp"
)

// BenchmarkNetHTTP is the article's, verbatim. Its own command line,
// `go test -bench=NetHTTP -benchmem -run=^$`, runs it.
func BenchmarkNetHTTP(b *testing.B) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.Write([]byte("OK")) // 触发底层 copy + alloc
	}))
	srv.Start()
	defer srv.Close()

	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		http.Get(srv.URL)
	}
}

// BenchmarkFastHTTP is its twin, which the article does not print: the same
// client against fasthttp.
func BenchmarkFastHTTP(b *testing.B) {
	url := "http://" + servers["fasthttp"](b) + "/"

	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		http.Get(url)
	}
}

// BenchmarkFastClient is the other reading of "fasthttp: 0.8 allocs/op":
// fasthttp on both sides.
func BenchmarkFastClient(b *testing.B) {
	url := "http://" + servers["fasthttp"](b) + "/"
	var body []byte
	loop(b, func() {
		var err error
		if _, body, err = fasthttp.Get(body[:0], url); err != nil {
			b.Fatal(err)
		}
	})
}
