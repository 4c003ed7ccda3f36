/* A table that ends after put, as one of an older header would. */
#define TABLE_SIZE offsetof(respaldo_storage, get)
#include "base.h"
