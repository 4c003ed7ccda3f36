/* Says that it is a detector and has the interface of a sink. */
#define KIND RESPALDO_KIND_DETECTOR
#include "base.h"
