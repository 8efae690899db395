// An answer that holds everything.
#ifndef SIP_SDP_HOLD_H
#define SIP_SDP_HOLD_H

#include "base/writer.h"

// False when the offer has no stream that could be held so, or it does not fit.
bool sdp_write_hold(struct writer *w, struct str offer);

#endif
