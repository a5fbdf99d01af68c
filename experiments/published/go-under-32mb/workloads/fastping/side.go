//go:build !plain

package main

import (
	"time"

	sideport "workloads/internal/side"
)

func side(addr string, record time.Duration) (string, error) {
	return sideport.Start(addr, record)
}
