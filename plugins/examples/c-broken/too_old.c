/* Was made for a boundary that is gone. */
#define API_OLDEST 0x00000000
#define API_NEWEST 0x00000fff
#include "base.h"
