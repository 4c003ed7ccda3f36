/* Its id is none. */
#define ID "Not An Id"
#include "base.h"
