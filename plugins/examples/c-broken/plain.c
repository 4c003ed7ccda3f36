/* Nothing is broken: the others are this one with one thing changed. */
#include "base.h"
