package main

import "sync"

// smallBufPool is the article's, verbatim but for its comments. It says that
// `&buf` forces the slice onto the stack; `go build -gcflags=-m` says what
// really becomes of it.
var smallBufPool = sync.Pool{
	New: func() interface{} {
		buf := make([]byte, 64)
		return &buf
	},
}
