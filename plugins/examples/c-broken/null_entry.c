/* Has no entry to give. */
#define ENTRY NULL
#include "base.h"
