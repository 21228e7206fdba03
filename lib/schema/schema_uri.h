/* schema_uri.h - URI references, as $id and $ref have them (RFC 3986). */
#ifndef SCHEMA_SCHEMA_URI_H
#define SCHEMA_SCHEMA_URI_H

/* Section 5.2: what the reference means as seen from the base, without the fragment; to free(). */
char *schema_uri_resolve(const char *base, const char *reference);
/* The fragment, percent-decoded, "" when there is none; to free(). */
char *schema_uri_fragment(const char *reference);

#endif
