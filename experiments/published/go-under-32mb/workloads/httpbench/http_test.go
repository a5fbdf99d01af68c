package httpbench

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/valyala/fasthttp"
)

func netHandler(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(200)
	w.Write([]byte("OK"))
}

func fastHandler(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(200)
	ctx.Write([]byte("OK"))
}

// servers start a server of each kind on loopback.
var servers = map[string]func(testing.TB) (addr string){
	"nethttp": func(t testing.TB) string {
		server := httptest.NewServer(http.HandlerFunc(netHandler))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	},
	"fasthttp": func(t testing.TB) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go fasthttp.Serve(listener, fastHandler)
		t.Cleanup(func() { listener.Close() })
		return listener.Addr().String()
	},
}

func each(b *testing.B, run func(b *testing.B, start func(testing.TB) string)) {
	for _, name := range []string{"nethttp", "fasthttp"} {
		b.Run(name, func(b *testing.B) { run(b, servers[name]) })
	}
}

// loop times op b.N times and reports mallocs/op with its fraction.
func loop(b *testing.B, op func()) {
	var before, after runtime.MemStats
	b.ReportAllocs()
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	for range b.N {
		op()
	}
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "mallocs/op")
}

func BenchmarkBodyClosed(b *testing.B) {
	each(b, func(b *testing.B, start func(testing.TB) string) {
		url := "http://" + start(b) + "/"
		loop(b, func() {
			resp, err := http.Get(url)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		})
	})
}

func BenchmarkServerOnly(b *testing.B) {
	each(b, func(b *testing.B, start func(testing.TB) string) {
		c := dial(b, start(b))
		c.get(b) // the first one says how long an answer is
		loop(b, func() { c.get(b) })
	})
}

func BenchmarkHandlerOnly(b *testing.B) {
	b.Run("nethttp", func(b *testing.B) {
		request := httptest.NewRequest("GET", "/", nil)
		w := &discard{header: http.Header{}}
		loop(b, func() { netHandler(w, request) })
	})
	b.Run("fasthttp", func(b *testing.B) {
		var ctx fasthttp.RequestCtx
		loop(b, func() {
			ctx.Response.Reset()
			fastHandler(&ctx)
		})
	})
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// client asks again and again over one connection, without allocating.
type client struct {
	conn    net.Conn
	request []byte
	answer  []byte
	size    int // of one answer; 0 until one was seen
}

func dial(t testing.TB, addr string) *client {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{
		conn:    conn,
		request: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		answer:  make([]byte, 4096),
	}
}

func (c *client) get(t testing.TB) {
	if _, err := c.conn.Write(c.request); err != nil {
		t.Fatal(err)
	}
	for got := 0; c.size == 0 || got < c.size; {
		n, err := c.conn.Read(c.answer[got:])
		if err != nil {
			t.Fatal(err)
		}
		got += n
		if c.size == 0 && bytes.HasSuffix(c.answer[:got], []byte("\r\n\r\nOK")) {
			c.size = got
		}
	}
}

func TestServersAnswer(t *testing.T) {
	for name, start := range servers {
		c := dial(t, start(t))
		for range 3 {
			c.get(t)
		}
		if !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200 OK\r\n")) {
			t.Errorf("%s: %q", name, c.answer[:c.size])
		}
	}
}

func TestTheClientAllocatesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() { // a server that allocates nothing either
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		buf, answer := make([]byte, 4096), []byte("HTTP/1.1 200 OK\r\n\r\nOK")
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			conn.Write(answer)
		}
	}()
	c := dial(t, listener.Addr().String())
	c.get(t)
	if n := testing.AllocsPerRun(100, func() { c.get(t) }); n != 0 {
		t.Errorf("%v allocations per request", n)
	}
}
