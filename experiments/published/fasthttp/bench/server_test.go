// Package bench is one request after another over one connection that exists in memory alone, as
// the README's benchmark ServerGet10KReqPerConn has it: the server's work, and no kernel's.
package bench

import (
	"bytes"
	"net"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

var (
	request = []byte("GET /foobar HTTP/1.1\r\nHost: google.com\r\n\r\n")
	body    = []byte("This is a fake response body")
)

func BenchmarkServer(b *testing.B) {
	b.Run("nethttp", func(b *testing.B) {
		run(b, func(l net.Listener) {
			http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" {
					b.Error(r.Method)
				}
				w.Write(body)
			}))
		})
	})
	b.Run("fasthttp", func(b *testing.B) {
		run(b, func(l net.Listener) {
			fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) {
				if !ctx.IsGet() {
					b.Error(string(ctx.Method()))
				}
				ctx.Success("text/plain", body)
			})
		})
	})
}

func run(b *testing.B, serve func(net.Listener)) {
	l := fasthttputil.NewInmemoryListener()
	defer l.Close()
	go serve(l)
	conn, err := l.Dial()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 4096)
	ask := func() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		for got := 0; !bytes.HasSuffix(answer[:got], body); {
			n, err := conn.Read(answer[got:])
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
	for i := 0; i < 100; i++ {
		ask()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		ask()
	}
}
