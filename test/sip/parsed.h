// A message parsed out of a piece of memory of exactly its size, so that reading beyond it is found.
#ifndef TEST_SIP_PARSED_H
#define TEST_SIP_PARSED_H

#include "sip/message.h"

#include <stdlib.h>
#include <string.h>

struct parsed {
	char *bytes; // owned
	size_t size;
	bool fine;
	struct sip_message message;
	struct sip_fault fault;
};

static inline struct parsed *parsed_bytes(const char *bytes, size_t size, enum sip_framing framing)
{
	struct parsed *p = malloc(sizeof *p);
	if (!p || !(p->bytes = malloc(size + (size == 0))))
		abort();
	memset(&p->message, 0xa5, sizeof p->message);
	memcpy(p->bytes, bytes, size);
	p->size = size;
	p->fine = sip_message_parse(p->bytes, size, framing, &p->message, &p->fault);
	return p;
}

static inline struct parsed *parsed_text(const char *text, enum sip_framing framing)
{
	return parsed_bytes(text, strlen(text), framing);
}

static inline void parsed_free(struct parsed *p)
{
	free(p->bytes);
	free(p);
}

#endif
