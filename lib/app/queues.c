#include "app/queues.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool unknown_queue(const struct topology *t, const char *name, struct error *err)
{
	const char **names = mem_alloc(t->queue_count + 1, sizeof *names);
	for (size_t i = 0; i < t->queue_count; i++)
		names[i] = t->queues[i].name;
	settings_lack("queue", name, names, "--no-declare takes any queue", err);
	free(names);
	return false;
}

static void add(const char **queues, const char *name)
{
	for (; *queues != NULL; queues++)
		if (strcmp(*queues, name) == 0)
			return; /* named twice, read once */
	*queues = name;
}

static bool choose(const struct topology *t, char *const *operands, bool only_known,
    const char **queues, struct error *err)
{
	for (size_t i = 0; operands[i] != NULL; i++) {
		if (only_known && topology_find_queue(t, slice_str(operands[i])) == NULL)
			return unknown_queue(t, operands[i], err);
		add(queues, operands[i]);
	}
	for (size_t i = 0; operands[0] == NULL && i < t->queue_count; i++)
		if (t->queues[i].made_for == NULL)
			add(queues, t->queues[i].name);
	return true;
}

const char **queues_choose(
    const struct tool *tool, char *const *operands, bool only_known, struct error *err)
{
	const struct topology *t = &tool->settings.topology;
	size_t most = t->queue_count + 1;
	for (size_t i = 0; operands[i] != NULL; i++)
		most++;
	const char **queues = mem_alloc(most, sizeof *queues);
	bool good = choose(t, operands, only_known, queues, err);
	if (good && queues[0] != NULL)
		return queues;
	free(queues);
	if (good && tool->options->settings == NULL)
		error_set(
		    err, ERROR_USAGE, "which queue? name one, or give --settings FILE or NAME");
	else if (good)
		error_set(err, ERROR_SETTINGS, "the settings have no queues to consume");
	return NULL;
}
