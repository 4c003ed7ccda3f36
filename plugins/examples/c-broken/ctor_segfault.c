/* Crashes while it is loaded. */
#include "base.h"
__attribute__((constructor)) static void crash(void) { *(volatile int *)8 = 1; }
