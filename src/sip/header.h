// What headers.def knows of each header. For src/sip/ alone.
#ifndef SIP_HEADER_H
#define SIP_HEADER_H

#include "sip/message.h"

enum sip_header_count { SIP_HEADER_ONE, SIP_HEADER_FIRST, SIP_HEADER_MANY, SIP_HEADER_LINES };

// By its name or compact form, without case.
enum sip_header_name sip_header_name_of(struct str name);
enum sip_header_count sip_header_how_many(enum sip_header_name name);
// "a second Call-ID header"
const char *sip_header_repeated(enum sip_header_name name);

#endif
