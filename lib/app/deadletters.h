/* deadletters.h - the verbs of the deadletters tool: why messages died, and a safe way back. */
#ifndef APP_DEADLETTERS_H
#define APP_DEADLETTERS_H

#include "app/deadletters_pass.h"

/* options are a struct deadletters_options. */
tool_run_fn deadletters_run;

#endif
