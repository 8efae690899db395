// REFER within a dialog (RFC 3515), with or without its subscription (RFC 4488).
#ifndef SIP_REFER_H
#define SIP_REFER_H

#include "sip/session.h"

// What a REFER's request borrows.
struct refer_texts {
	char target[SIP_URI_MAX];
};

// What it asks for. 0, or the status that refuses it.
unsigned refer_read(struct sip_session *session, const struct sip_message *refer, struct refer_texts *texts,
		    struct dialog_request *asked);
// Refer-Sub: false. It does not want to be told how it goes.
bool refer_is_silent(const struct sip_message *refer);
// Its 202 is out.
void refer_accepted(struct sip_session *session, const struct question *question);
void refer_progress(struct sip_session *session, uint64_t question, unsigned status);

#endif
