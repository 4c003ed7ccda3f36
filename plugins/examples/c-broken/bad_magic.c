/* Something else has a function of that name. */
#define MAGIC 0x12345678
#include "base.h"
