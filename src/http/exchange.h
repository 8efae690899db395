// A request on its way through libmicrohttpd: received as a whole, answered by a worker, sent. The context of each callback is the
// server.
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/request.h"

#include <microhttpd.h>

// With the request line, before anything else. What it gives becomes *slot of the calls that follow.
void *http_exchange_begin(void *context, const char *uri, struct MHD_Connection *connection);
// With the head, with each piece of the body, at the body's end, and again after a resume.
enum MHD_Result http_exchange_received(void *context, struct MHD_Connection *connection, const char *url,
				       const char *method, const char *version, const char *upload, size_t *upload_size,
				       void **slot);
// The answer is out, or the connection gone.
void http_exchange_completed(void *context, struct MHD_Connection *connection, void **slot,
			     enum MHD_RequestTerminationCode code);
// The request's answer is made: it is sent on libmicrohttpd's thread. Called on a worker's.
void http_exchange_answered(struct request *request);

#endif
