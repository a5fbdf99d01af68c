// Command fastping is pingserver's twin on fasthttp: same flags, same answers.
//
//	fastping -listen 127.0.0.1:8080 [-stats 127.0.0.1:8081 [-record 5s]]
//
// The side port is net/http in both, so that it adds the same to both. Built
// with the tag `plain` there is none, and net/http's server is not linked.
package main

import (
	"flag"
	"log"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address that takes the load")
	stats := flag.String("stats", "", "address of the side port; none by default")
	record := flag.Duration("record", 0, "interval of the gauges on the side port; 0: at every scrape")
	flag.Parse()
	if err := startSide(*stats, *record); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	log.Fatal(fasthttp.Serve(listener, handle))
}

func startSide(addr string, record time.Duration) error {
	if addr == "" {
		return nil
	}
	got, err := side(addr, record)
	if err == nil {
		log.Print("stats on ", got)
	}
	return err
}

func handle(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) != "/ping" {
		ctx.Error("404 page not found\n", fasthttp.StatusNotFound)
		return
	}
	ctx.WriteString("pong")
}
