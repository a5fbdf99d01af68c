package main

import (
	"testing"

	"github.com/valyala/fasthttp"
)

func TestPing(t *testing.T) {
	for path, want := range map[string]int{"/ping": 200, "/other": 404} {
		var ctx fasthttp.RequestCtx
		ctx.Request.SetRequestURI(path)
		handle(&ctx)
		if ctx.Response.StatusCode() != want {
			t.Errorf("%s: %d", path, ctx.Response.StatusCode())
		}
		if want == 200 && string(ctx.Response.Body()) != "pong" {
			t.Errorf("%s: %q", path, ctx.Response.Body())
		}
	}
}
