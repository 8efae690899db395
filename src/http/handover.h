// SIP over WebSocket at /sip (RFC 7118): the request is answered by the SIP side, which is given the socket when it says 101. What is
// here knows of neither more than that.
#ifndef HTTP_HANDOVER_H
#define HTTP_HANDOVER_H

#include "http/request.h"

#include <microhttpd.h>

// Whether the head of this request is wanted by the SIP side as it is.
bool handover_concerns(struct str uri);
// The request's head, from what the library made of it: the same lines, in the same order. Empty when it is too long, or there is no
// memory.
struct str handover_head(struct arena *arena, struct MHD_Connection *connection, const char *method, struct str uri,
			 const char *version);
// The answer that the SIP side wrote, for the library. `handler` is called when it was 101. NULL when it cannot be made.
struct MHD_Response *handover_response(struct str answer, MHD_UpgradeHandler handler, void *context);
// Gives the socket to the SIP side. `early` came on it after the head.
void handover_give(struct http_server *server, struct MHD_Connection *connection, MHD_socket socket,
		   struct MHD_UpgradeResponseHandle *handle, struct str early);
// Takes back what libmicrohttpd still holds of those that were given: the library is going to stop.
void handover_end(struct http_server *server);

#endif
