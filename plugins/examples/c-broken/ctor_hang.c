/* Never finishes being loaded. */
#include <unistd.h>
#include "base.h"
__attribute__((constructor)) static void hang(void) {
    for (;;) sleep(1);
}
