#include "bench/perftest.h"

#include "bench/perftest_private.h"

bool perftest_translate(const char *command_line, struct buf *yaml, struct error *err)
{
	struct perftest_command command = {0};
	struct perftest_result result = {0};
	bool good = perftest_read(command_line, &command, err);
	if (good) {
		perftest_result_init(&result, &command);
		good = perftest_convert(&result, err) && perftest_apply_rules(&result, err);
	}
	if (good)
		perftest_write(&result, yaml);
	perftest_result_release(&result);
	perftest_command_release(&command);
	return good;
}
