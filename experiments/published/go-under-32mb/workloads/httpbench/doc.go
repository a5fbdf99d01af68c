// Package httpbench holds the article's HTTP benchmark and three honest ones.
//
//	go test -run '^$' -bench 'ServerOnly/nethttp$' -benchmem -count 10 ./httpbench
//
//	NetHTTP, FastHTTP     the article's, verbatim: client and server in one
//	                      process, the body never closed (so a new connection for
//	                      every operation), the error ignored. It can run out of
//	                      open files; -benchtime=200x stays within 1024.
//	BodyClosed/SERVER     the same with the body read and closed, the error seen
//	ServerOnly/SERVER     one kept-alive connection, a client that allocates nothing
//	HandlerOnly/SERVER    the handler alone: no network, no parser
//
// SERVER is nethttp or fasthttp. -benchmem prints whole numbers; mallocs/op is
// the same with its fraction, for the whole process.
package httpbench
