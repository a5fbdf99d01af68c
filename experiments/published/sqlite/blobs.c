/* Reads small blobs out of files and out of one SQLite database, in random order; prints one JSON
 * object. Blobs are of 8,000 to 12,000 bytes, as in the source's own measurement. The library is
 * declared here and linked by its file, so that its headers need not be installed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_open(const char *, sqlite3 **);
int sqlite3_close(sqlite3 *);
int sqlite3_exec(sqlite3 *, const char *, void *, void *, char **);
int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int sqlite3_bind_int(sqlite3_stmt *, int, int);
int sqlite3_bind_blob(sqlite3_stmt *, int, const void *, int, void (*)(void *));
int sqlite3_step(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_finalize(sqlite3_stmt *);
const void *sqlite3_column_blob(sqlite3_stmt *, int);
int sqlite3_column_bytes(sqlite3_stmt *, int);
const char *sqlite3_libversion(void);
#define ROW 100
#define DONE 101
#define LARGEST 12000

static uint64_t state = 88172645463325252ull;

static uint64_t drawn(void) { /* Marsaglia 2003, xorshift64 */
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static char buffer[LARGEST];
static uint64_t sum;

static void read_file(const char *folder, int number) {
  char path[512];
  snprintf(path, sizeof path, "%s/%02x/%d", folder, number & 0xff, number);
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  size_t got = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  sum += got + (unsigned char)buffer[got / 2];
}

static void read_row(sqlite3_stmt *row, int number) {
  sqlite3_bind_int(row, 1, number);
  if (sqlite3_step(row) != ROW) fail("no row");
  int size = sqlite3_column_bytes(row, 0);
  memcpy(buffer, sqlite3_column_blob(row, 0), size);
  sqlite3_reset(row);
  sum += size + (unsigned char)buffer[size / 2];
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "blobs FOLDER COUNT\n"), 2;
  const char *parent = argv[1];
  int count = atoi(argv[2]);
  char folder[256], path[512];
  snprintf(folder, sizeof folder, "%s/runner-blobs-XXXXXX", parent);
  if (!mkdtemp(folder)) fail(folder);
  for (int at = 0; at < 256; at++) {
    snprintf(path, sizeof path, "%s/%02x", folder, at);
    if (mkdir(path, 0700)) fail(path);
  }
  sqlite3 *db;
  sqlite3_stmt *row;
  char base[512];
  snprintf(base, sizeof base, "%s/blobs.db", folder);
  if (sqlite3_open(base, &db)) fail(base);
  sqlite3_exec(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                   "CREATE TABLE kv(k INTEGER PRIMARY KEY, v BLOB); BEGIN", 0, 0, 0);
  sqlite3_prepare_v2(db, "INSERT INTO kv VALUES(?, ?)", -1, &row, 0);
  long long in_files = 0, bytes = 0;
  for (int number = 0; number < count; number++) {
    int size = 8000 + drawn() % 4001;
    for (int at = 0; at + 8 <= size; at += 8) {
      uint64_t word = drawn();
      memcpy(buffer + at, &word, 8);
    }
    bytes += size;
    sqlite3_bind_int(row, 1, number);
    sqlite3_bind_blob(row, 2, buffer, size, 0);
    if (sqlite3_step(row) != DONE) fail("insert");
    sqlite3_reset(row);
    snprintf(path, sizeof path, "%s/%02x/%d", folder, number & 0xff, number);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(buffer, 1, size, file) != (size_t)size || fclose(file)) fail(path);
  }
  sqlite3_finalize(row);
  sqlite3_exec(db, "COMMIT", 0, 0, 0);
  sqlite3_close(db);
  struct stat seen;
  for (int number = 0; number < count; number++) {
    snprintf(path, sizeof path, "%s/%02x/%d", folder, number & 0xff, number);
    if (stat(path, &seen)) fail(path);
    in_files += seen.st_blocks * 512ll;
  }
  if (stat(base, &seen)) fail(base);
  long long in_base = seen.st_blocks * 512ll;
  int *order = malloc(count * sizeof *order);
  for (int at = 0; at < count; at++) order[at] = at;
  for (int at = count - 1; at > 0; at--) {
    int other = drawn() % (at + 1), kept = order[at];
    order[at] = order[other], order[other] = kept;
  }
  double files = 0, rows = 0;
  /* the first round warms the cache; the second is timed, with the database opened within it */
  for (int round = 0; round < 2; round++) {
    double begin = now();
    for (int at = 0; at < count; at++) read_file(folder, order[at]);
    files = now() - begin;
    begin = now();
    if (sqlite3_open(base, &db)) fail(base);
    sqlite3_prepare_v2(db, "SELECT v FROM kv WHERE k = ?", -1, &row, 0);
    for (int at = 0; at < count; at++) read_row(row, order[at]);
    sqlite3_finalize(row);
    sqlite3_close(db);
    rows = now() - begin;
  }
  printf("{\"files_us\": %.3f, \"sqlite_us\": %.3f, \"files_bytes\": %lld, \"sqlite_bytes\": %lld, "
         "\"blob_bytes\": %lld, \"version\": \"%s\", \"sum\": %llu}\n",
         files / count * 1e6, rows / count * 1e6, in_files / count, in_base / count, bytes / count,
         sqlite3_libversion(), (unsigned long long)sum);
  for (int number = 0; number < count; number++) {
    snprintf(path, sizeof path, "%s/%02x/%d", folder, number & 0xff, number);
    unlink(path);
  }
  for (int at = 0; at < 256; at++) {
    snprintf(path, sizeof path, "%s/%02x", folder, at);
    rmdir(path);
  }
  unlink(base);
  return rmdir(folder) ? 1 : 0;
}
