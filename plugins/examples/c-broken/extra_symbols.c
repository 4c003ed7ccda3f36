/* Exports more than its entry. */
#include "base.h"
RESPALDO_EXPORT int malloc_statistics(void);
int malloc_statistics(void) { return 1; }
RESPALDO_EXPORT extern int plugin_version;
int plugin_version = 7;
