/* asyncapi_sections.h - what the settings have and AsyncAPI has no place for. */
#ifndef APP_ASYNCAPI_SECTIONS_H
#define APP_ASYNCAPI_SECTIONS_H

#include "app/settings.h"

/* Sets the members x-warren-* of the document itself. */
void asyncapi_sections_set(json_t *document, const struct settings *s);

#endif
