// Command pingserver is the article's program: net/http answers /ping.
//
//	pingserver -listen 127.0.0.1:8080 [-stats 127.0.0.1:8081 [-record 5s]]
//
// With -stats it has a side port, see package side. Built with the tag `plain`
// it has none, and links nothing that a bare server would not.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"time"
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
	log.Fatal(http.Serve(listener, handler()))
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

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "pong")
	})
	return mux
}
