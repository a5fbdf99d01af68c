/* Sums a small table over and over: short enough to be read, long enough to be measured.
   The table is filled from the command line, so that no compiler knows the answer. */
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1024 };

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    long rounds = atol(words[1]);
    unsigned long seed = strtoul(words[2], NULL, 10), sum = 0;
    static unsigned table[SIZE];
    for (int i = 0; i < SIZE; i++)
        table[i] = (unsigned)(seed = seed * 6364136223846793005UL + 1442695040888963407UL);
    for (long round = 0; round < rounds; round++)
        for (int i = 0; i < SIZE; i++)
            sum += table[i] ^ (unsigned)round;
    printf("%lu\n", sum);
    return 0;
}
