package main

import "testing"

func TestAPoolKeepsAllForOneCollectionAndNoneForTwo(t *testing.T) {
	for _, put := range []int{1, 64, 5000} {
		r := run(config{put: put, capacity: 64, burst: 16, size: 64, rounds: 5, gcEvery: 2})
		private := r.NumCPU // out of reach after a move to another CPU
		if p := r.Pool; p.After0GC < put-private || p.After1GC < put-private || p.After1GC > put || p.After2GC != 0 {
			t.Errorf("pool of %d: %+v", put, p)
		}
		bound := min(put, 64)
		if l := r.FreeList; l.After0GC != bound || l.After1GC != bound || l.After2GC != bound {
			t.Errorf("free list of %d: %+v", put, l)
		}
	}
}

func TestBurstsWithinTheBoundMakeNothingAnew(t *testing.T) {
	c := config{put: 1, capacity: 64, burst: 64, size: 128, rounds: 20, gcEvery: 1}
	if r := run(c); r.FreeList.NewPerGet != 0 {
		t.Errorf("free list: %+v", r.FreeList)
	}
	c.burst = 128
	if r := run(c); r.FreeList.NewPerGet != 0.5 {
		t.Errorf("free list, burst twice its bound: %+v", r.FreeList)
	}
	if r := run(c); r.Pool.NewPerGet > 0.1 {
		t.Errorf("pool in use between all collections: %+v", r.Pool)
	}
}

func TestTheArticlesBound(t *testing.T) {
	if r := run(config{put: 1, burst: 1, size: 1, rounds: 1}); r.Capacity != r.NumCPU*32 {
		t.Errorf("capacity %d on %d CPUs", r.Capacity, r.NumCPU)
	}
}
