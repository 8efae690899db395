// What a session over a trunk needs of the trunk to its end, whatever becomes of it: its call goes on as it began.
#ifndef SIP_TRUNK_ACCOUNT_H
#define SIP_TRUNK_ACCOUNT_H

#include "sip/auth.h"
#include "sip/session.h"

// Keeps it. Without a username nothing is allocated. False when there is no memory.
bool trunk_account_keep(struct sip_session *session, const struct trunk *trunk);
void trunk_account_drop(struct sip_session *session); // overwrites the password
// False: challenges stand as they are.
bool trunk_account_credentials(const struct sip_session *session, struct sip_credentials *credentials);

#endif
