/* Its schema is not JSON. */
#define SCHEMA "{\"type\":"
#include "base.h"
