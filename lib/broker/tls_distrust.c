/* What is wrong with a certificate, in words. */
#include "broker/tls.h"

#include "base/text.h"
#include "broker/tls_private.h"

#include <openssl/x509v3.h>

#include <arpa/inet.h>

#define MOST_NAMES 5 /* of a certificate, told in an error */

static void append_name(const X509_NAME *name, struct buf *out)
{
	/* escaping is what text_escape does */
	const unsigned long flags =
	    XN_FLAG_RFC2253 & ~(unsigned long)(ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_ESC_MSB);
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
		long len = BIO_get_mem_data(bio, &text);
		text_escape((struct slice){text, len > 0 ? (size_t)len : 0}, 200, out);
	}
	BIO_free(bio);
}

static void append_time(const ASN1_TIME *when, struct buf *out)
{
	struct tm tm;
	char text[32];
	if (ASN1_TIME_to_tm(when, &tm) == 1 &&
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm) > 0)
		buf_append_str(out, text);
}

static bool append_general_name(const GENERAL_NAME *name, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	if (name->type == GEN_DNS) {
		const ASN1_STRING *dns = name->d.dNSName;
		text_escape((struct slice){(const char *)ASN1_STRING_get0_data(dns),
				(size_t)ASN1_STRING_length(dns)},
		    100, out);
		return true;
	}
	int len = name->type == GEN_IPADD ? ASN1_STRING_length(name->d.iPAddress) : 0;
	int family = len == 4 ? AF_INET : AF_INET6;
	if ((len != 4 && len != 16) ||
	    inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof text) == NULL)
		return false;
	buf_append_str(out, text);
	return true;
}

/* "; it is for a.example, 10.0.0.1", which are names when there are any, else the subject. */
static void append_owner(const X509 *cert, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0, told = 0;
	buf_append_str(out, "; it is for ");
	for (int i = 0; i < count && told < MOST_NAMES; i++) {
		size_t before = out->len;
		buf_append_str(out, told > 0 ? ", " : "");
		if (append_general_name(sk_GENERAL_NAME_value(names, i), out))
			told++;
		else
			buf_truncate(out, before);
	}
	if (told == 0)
		append_name(X509_get_subject_name(cert), out);
	GENERAL_NAMES_free(names);
}

void tls_distrust_explain(X509_STORE_CTX *store, struct buf *out)
{
	const X509 *cert = X509_STORE_CTX_get_current_cert(store);
	int code = X509_STORE_CTX_get_error(store);
	buf_append_str(out, X509_verify_cert_error_string(code));
	if (cert == NULL)
		return;
	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		append_owner(cert, out);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		buf_append_str(out, ", on ");
		append_time(X509_get0_notAfter(cert), out);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		buf_append_str(out, ", but from ");
		append_time(X509_get0_notBefore(cert), out);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		buf_append_str(out, "; it was issued by ");
		append_name(X509_get_issuer_name(cert), out);
		buf_append_str(out, ", which cacertfile can name");
		break;
	default:
		break;
	}
}
