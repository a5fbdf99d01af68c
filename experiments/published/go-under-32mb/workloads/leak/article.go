package main

import (
	"context"
	"sync"
)

// runWithControlledGoroutines is the article's launcher, verbatim but for its
// last two lines, which `go vet` refuses as unreachable:
//
//	wg.Wait()
//	return nil
//
// The select has one case, and that returns. So the launcher always waits for
// ctx to end, however early fn is done, and never for the goroutine.
func runWithControlledGoroutines(ctx context.Context, fn func(context.Context)) error {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		fn(ctx) // 所有 goroutine 必须响应 ctx.Done()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err() // 超时或取消时主动终止
	}
}
