// A copy of a trunk's name and password in one piece of memory, which the session owns.
#include "sip/trunk_account.h"

#include "sip/trunk_leg.h"

#include <stdlib.h>
#include <string.h>

struct trunk_account {
	struct str username, password, realm; // in `bytes`
	size_t size;
	char bytes[];
};

static struct str put(struct trunk_account *account, struct str text)
{
	char *at = account->bytes + account->size;

	if (text.length)
		memcpy(at, text.at, text.length);
	account->size += text.length;
	return (struct str){at, text.length};
}

bool trunk_account_keep(struct sip_session *session, const struct trunk *trunk)
{
	session->trunk_id = trunk->entity.id;
	session->is_teams = trunk_is_teams(trunk);
	if (sip_transport_listener(session->endpoint->transport, TRANSPORT_TLS, 0).family != 0)
		session->trunk_name = trunk_flow_name(session->endpoint, trunk, trunk->host);
	if (str_empty(trunk->username))
		return true;
	struct trunk_account *account =
	    calloc(1, sizeof *account + trunk->username.length + trunk->password.length + trunk->realm.length);
	if (!account)
		return false;
	account->username = put(account, trunk->username);
	account->password = put(account, trunk->password);
	account->realm = put(account, trunk->realm);
	session->trunk_account = account;
	return true;
}

void trunk_account_drop(struct sip_session *session)
{
	struct trunk_account *account = session->trunk_account;

	session->trunk_account = NULL;
	if (account)
		explicit_bzero(account->bytes, account->size);
	free(account);
}

bool trunk_account_credentials(const struct sip_session *session, struct sip_credentials *credentials)
{
	const struct trunk_account *account = session->trunk_account;

	if (!account)
		return false;
	*credentials = (struct sip_credentials){account->username, account->password, account->realm};
	return true;
}
