/* Any bytes: either an address whose parts are whole, or a reason; never a control character. */
#include "broker/uri.h"

#include <assert.h>
#include <stdlib.h>

static void assert_is_printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		assert((unsigned char)*c >= ' ' && *c != '\x7f');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct uri u = {0};
	struct error err = {0};
	char *masked = uri_mask(text);
	assert_is_printable(masked);
	if (uri_parse(text, &u, &err)) {
		assert(u.host != NULL && u.host[0] != '\0' && u.port != 0);
		assert(u.user != NULL && u.password != NULL && u.vhost[0] != '\0');
		assert(strcmp(masked, u.shown) == 0);
	} else {
		assert(err.kind == ERROR_SETTINGS && err.text[0] != '\0' && u.host == NULL);
		assert_is_printable(err.text);
	}
	uri_release(&u);
	free(masked);
	return 0;
}
