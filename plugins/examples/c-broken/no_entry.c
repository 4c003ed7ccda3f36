/* Exports something else. */
#define NO_ENTRY
#include "base.h"
RESPALDO_EXPORT const respaldo_entry *some_other_entry(void);
const respaldo_entry *some_other_entry(void) { return ENTRY; }
