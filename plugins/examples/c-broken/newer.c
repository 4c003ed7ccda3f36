/* Would like a newer host, and makes do with this one. */
#define API_NEWEST 0x00010063
#include "base.h"
