/* Shuffles an array, with three ways to draw an unbiased integer below a bound: by two divisions
 * (OpenBSD's), by one (Java's), and by nearly none (Lemire 2019, algorithm 5). Prints nanoseconds
 * an element as one JSON object. Written from the paper, not taken from its artefact. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned __int128 lehmer = ((unsigned __int128)0x9e3779b97f4a7c15u << 64) | 0xbf58476d1ce4e5b9u;

static inline uint64_t draw(void) { /* Lehmer, 128 bits of state */
  lehmer *= 0xda942042e4dd58b5u;
  return (uint64_t)(lehmer >> 64);
}

static inline uint64_t two_divisions(uint64_t below) {
  uint64_t biased = -below % below, word;
  do word = draw();
  while (word < biased);
  return word % below;
}

static inline uint64_t one_division(uint64_t below) {
  uint64_t word = draw(), rest = word % below;
  while (word - rest > (uint64_t)0 - below) word = draw(), rest = word % below;
  return rest;
}

static inline uint64_t nearly_none(uint64_t below) {
  unsigned __int128 product = (unsigned __int128)draw() * below;
  uint64_t low = (uint64_t)product;
  if (low < below) {
    uint64_t biased = -below % below;
    while (low < biased) {
      product = (unsigned __int128)draw() * below;
      low = (uint64_t)product;
    }
  }
  return (uint64_t)(product >> 64);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e9 + at.tv_nsec;
}

#define TIMED(name, drawn)                                            \
  static double name(uint64_t *data, uint64_t size, int rounds) {     \
    double begin = now();                                             \
    for (int round = 0; round < rounds; round++)                      \
      for (uint64_t left = size; left > 1; left--) {                  \
        uint64_t at = drawn(left), kept = data[left - 1];             \
        data[left - 1] = data[at], data[at] = kept;                   \
      }                                                               \
    return (now() - begin) / rounds / (size - 1);                     \
  }

TIMED(by_two, two_divisions)
TIMED(by_one, one_division)
TIMED(by_none, nearly_none)

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "shuffle SIZE ROUNDS\n"), 2;
  uint64_t size = strtoull(argv[1], 0, 10);
  int rounds = atoi(argv[2]);
  uint64_t *data = malloc(size * sizeof *data), sum = 0;
  for (uint64_t at = 0; at < size; at++) data[at] = at;
  by_two(data, size, rounds / 10 + 1); /* the clock is up, the array is warm */
  double two = by_two(data, size, rounds), one = by_one(data, size, rounds);
  double none = by_none(data, size, rounds);
  for (uint64_t at = 0; at < size; at++) sum += data[at] * at;
  printf("{\"two_ns\": %.4f, \"one_ns\": %.4f, \"none_ns\": %.4f, \"sum\": %llu}\n", two, one, none,
         (unsigned long long)sum);
  return 0;
}
