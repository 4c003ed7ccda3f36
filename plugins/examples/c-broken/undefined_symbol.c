/* Needs a function that nobody has. */
int nobody_has_this(void);
#include "base.h"
RESPALDO_EXPORT int calls_it(void);
int calls_it(void) { return nobody_has_this(); }
