#include "base/digest.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* What can fail in OpenSSL here is memory and a broken installation. */
#define NEEDS(call)              \
	do {                     \
		if ((call) != 1) \
			abort(); \
	} while (0)

struct digest {
	EVP_MD *kind; /* fetched once: that costs more than a short message */
	EVP_MD_CTX *context;
};

struct digest *digest_create(void)
{
	struct digest *digest = mem_alloc(1, sizeof *digest);
	digest->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
	digest->context = EVP_MD_CTX_new();
	NEEDS(digest->kind != NULL && digest->context != NULL);
	return digest;
}

void digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->context);
	EVP_MD_free(digest->kind);
	free(digest);
}

void digest_begin(struct digest *digest)
{
	NEEDS(EVP_DigestInit_ex2(digest->context, digest->kind, NULL));
}

void digest_add(struct digest *digest, struct slice bytes)
{
	NEEDS(EVP_DigestUpdate(digest->context, bytes.ptr, bytes.len));
}

void digest_end(struct digest *digest, unsigned char out[DIGEST_BYTES])
{
	NEEDS(EVP_DigestFinal_ex(digest->context, out, NULL));
}

void digest_of(struct slice bytes, unsigned char out[DIGEST_BYTES])
{
	struct digest *digest = digest_create();
	digest_begin(digest);
	digest_add(digest, bytes);
	digest_end(digest, out);
	digest_free(digest);
}
