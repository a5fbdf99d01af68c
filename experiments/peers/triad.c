/* Copy, scale, add and triad over arrays larger than any cache, in MB/s; the last line says
 * whether the numbers came out right. Written for these experiments. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 4000000, i;
    int rounds = 10, round, kind;
    double *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), *c = malloc(n * sizeof *c);
    double best[4] = {1e9, 1e9, 1e9, 1e9}, x = 1, y = 2, z = 0;
    const char *names[] = {"Copy", "Scale", "Add", "Triad"};
    const int words[] = {2, 2, 3, 3};
    if (!a || !b || !c) return 1;
    for (i = 0; i < n; i++) a[i] = x, b[i] = y, c[i] = z;
    for (round = 0; round < rounds; round++)
        for (kind = 0; kind < 4; kind++) {
            double began = now(), took;
            switch (kind) {
            case 0: for (i = 0; i < n; i++) c[i] = a[i]; z = x; break;
            case 1: for (i = 0; i < n; i++) b[i] = 0.5 * c[i]; y = 0.5 * z; break;
            case 2: for (i = 0; i < n; i++) c[i] = a[i] + b[i]; z = x + y; break;
            default: for (i = 0; i < n; i++) a[i] = b[i] + 0.5 * c[i]; x = y + 0.5 * z;
            }
            took = now() - began;
            if (took < best[kind]) best[kind] = took;
        }
    for (kind = 0; kind < 4; kind++)
        printf("%s: %.1f\n", names[kind], words[kind] * n * sizeof(double) / best[kind] / 1e6);
    for (i = 0; i < n; i += n / 97 + 1)
        if (a[i] != x || b[i] != y || c[i] != z) return puts("Solution is wrong"), 1;
    return puts("Solution Validates"), 0;
}
