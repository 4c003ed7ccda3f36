/* Needs a host that does not exist yet. */
#define API_OLDEST 0x00020000
#define API_NEWEST 0x00020000
#include "base.h"
