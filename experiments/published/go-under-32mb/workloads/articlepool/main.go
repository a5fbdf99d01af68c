// Command articlepool is the article's pool and nothing else, so that what
// `go build -gcflags=-m` says is said of it alone.
package main

import "sync"

// The article: "&buf forces the slice onto the stack, optimised by the compiler
// to zero copy". The compiler: "moved to heap: buf".
var smallBufPool = sync.Pool{
	New: func() interface{} {
		buf := make([]byte, 64)
		return &buf
	},
}

func main() {
	buf := smallBufPool.Get().(*[]byte)
	smallBufPool.Put(buf)
}
