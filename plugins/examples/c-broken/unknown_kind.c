/* Of a kind that this host does not know. */
#define KIND 99
#include "base.h"
