/* glibc raises its thresholds when a large block is freed, and keeps what ten thousand tables took for a moment in the
 * heap from then on: a fifth more than a backup ever uses at once. Set by hand they stay: large blocks go back to the
 * system at once, and threads share two heaps. Nobody calls this; it runs before main. */
#include <malloc.h>

#ifdef __GLIBC__
__attribute__((constructor)) static void respaldo_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 2);
}
#endif
