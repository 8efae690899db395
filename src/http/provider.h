// The provider of single sign-on (OpenID Connect): where it is, its keys, and what it says of who has signed in there.
#ifndef HTTP_PROVIDER_H
#define HTTP_PROVIDER_H

#include "base/arena.h"
#include "domain/err.h"

#include <jansson.h>

struct provider;

// All text lives as long as the provider. Without an issuer there is none.
struct provider_settings {
	const char *issuer;        // https://login.example.com
	const char *client_id;     // as registered there
	const char *client_secret; // empty: a public client
	const char *redirect_uri;  // our callback, as browsers reach it
	const char *claim;         // which holds the sign-in name
	const char *scope;
};

enum { PROVIDER_SECRET_MAX = 48 };

// What one sign-in is bound to; kept by the browser alone.
struct sign_in_secrets {
	char state[PROVIDER_SECRET_MAX], nonce[PROVIDER_SECRET_MAX], verifier[PROVIDER_SECRET_MAX];
};

struct provider *provider_create(const struct provider_settings *settings); // NULL when there is no memory
void provider_destroy(struct provider *provider);
bool provider_is_there(const struct provider *provider); // it is configured

// Where the browser goes to sign in, in the arena. UNREACHABLE_PROVIDER with a logged reason.
enum err provider_sign_in_url(struct provider *provider, const struct sign_in_secrets *secrets, struct arena *arena,
			      struct str *url);
// Redeems the code and checks what comes: the user's sign-in name, in the arena. SIGN_IN_FAILED, or UNREACHABLE_PROVIDER.
enum err provider_redeem(struct provider *provider, struct str code, const struct sign_in_secrets *secrets,
			 int64_t now_ms, struct arena *arena, struct str *name);

#endif
