package main

import (
	"net/http/httptest"
	"testing"
)

func TestPing(t *testing.T) {
	got := httptest.NewRecorder()
	handler().ServeHTTP(got, httptest.NewRequest("GET", "/ping", nil))
	if got.Code != 200 || got.Body.String() != "pong" {
		t.Errorf("/ping: %d %q", got.Code, got.Body)
	}
	got = httptest.NewRecorder()
	handler().ServeHTTP(got, httptest.NewRequest("GET", "/other", nil))
	if got.Code != 404 {
		t.Errorf("/other: %d", got.Code)
	}
}

func TestStartSide(t *testing.T) {
	if err := startSide("", 0); err != nil {
		t.Error(err)
	}
	if err := startSide("nowhere:http:0", 0); err == nil {
		t.Error("no error for a bad address")
	}
}
