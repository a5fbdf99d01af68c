//go:build plain

package main

import (
	"errors"
	"time"
)

func side(string, time.Duration) (string, error) {
	return "", errors.New("-stats: this program was built with the tag `plain`, it has no side port")
}
