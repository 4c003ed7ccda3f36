/* An entry that ends after the 16 bytes that never change. */
#define ENTRY_SIZE 16
#include "base.h"
