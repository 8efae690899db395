// The certificate of HTTPS, which can be read again while the server runs: connections that begin later get the new one. There is one
// in a process, since libmicrohttpd asks for it without saying for whom.
#ifndef HTTP_HTTPS_CERTIFICATE_H
#define HTTP_HTTPS_CERTIFICATE_H

#include <gnutls/abstract.h>

// For libmicrohttpd and GnuTLS: called on their thread, once for each connection.
int https_certificate_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain,
			   unsigned *count, gnutls_ocsp_data_st **staples, unsigned *staple_count,
			   gnutls_privkey_t *key, unsigned *flags);

#endif
