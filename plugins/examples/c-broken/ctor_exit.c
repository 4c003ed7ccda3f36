/* Ends the process while it is loaded. */
#include <unistd.h>
#include "base.h"
__attribute__((constructor)) static void leave(void) { _exit(0); }
