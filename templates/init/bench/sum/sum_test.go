package sum

import (
	"strings"
	"testing"
)

const parts = 100

func BenchmarkPlus(b *testing.B) {
	for i := 0; i < b.N; i++ {
		text := ""
		for j := 0; j < parts; j++ {
			text += "part"
		}
		if len(text) != 4*parts {
			b.Fatal(len(text))
		}
	}
}

func BenchmarkBuilder(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var made strings.Builder
		for j := 0; j < parts; j++ {
			made.WriteString("part")
		}
		if made.Len() != 4*parts {
			b.Fatal(made.Len())
		}
	}
}
