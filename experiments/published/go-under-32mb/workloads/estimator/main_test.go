package main

import "testing"

func TestFourStates(t *testing.T) {
	const bytes = 32 << 20
	r, err := run(bytes)
	if err != nil {
		t.Fatal(err)
	}
	if grown := r.Allocated.RSS - r.Idle.RSS; grown < bytes*9/10 {
		t.Errorf("RSS grew by %d", grown)
	}
	if r.Allocated.Article < bytes || r.Freed.Article > bytes/2 {
		t.Errorf("article's estimate: %d, freed %d", r.Allocated.Article, r.Freed.Article)
	}
	if back := r.Freed.RSS - r.Returned.RSS; back < bytes/2 {
		t.Errorf("only %d bytes were given back", back)
	}
	if r.WorstArticle <= 0 || r.WorstHeld <= 0 || r.Idle.SysOfRSS <= 0 {
		t.Errorf("errors: %+v", r)
	}
}
