// Package sum holds two benchmarks.
package sum
