// Discovery (OpenID Connect Discovery 1.0), the authorization code flow (Core 1.0 section 3.1) with PKCE (RFC 7636).
#include "http/provider.h"
#include "base/digest.h"
#include "base/log.h"
#include "http/fetch.h"
#include "http/id_token.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEEP_S = 3600, KEYS_AGAIN_S = 10, SENTENCE_MAX = 256 };

struct provider {
	struct provider_settings settings;
	pthread_mutex_t lock; // of the two below: one thread asks, the others wait for what it hears
	json_t *metadata, *keys;
	time_t metadata_s, keys_s; // monotonic: when they came; 0 = never
};

static time_t monotonic_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + 1;
}

struct provider *provider_create(const struct provider_settings *settings)
{
	struct provider *provider = calloc(1, sizeof *provider);
	if (!provider)
		return NULL;
	provider->settings = *settings;
	pthread_mutex_init(&provider->lock, NULL);
	return provider;
}

void provider_destroy(struct provider *provider)
{
	if (!provider)
		return;
	json_decref(provider->metadata);
	json_decref(provider->keys);
	pthread_mutex_destroy(&provider->lock);
	free(provider);
}

bool provider_is_there(const struct provider *provider)
{
	return provider->settings.issuer && *provider->settings.issuer;
}

static enum err unreachable(const char *sentence)
{
	log_warning("sign_in_provider", LOG_TEXT("why", sentence));
	return ERR_UNREACHABLE_PROVIDER;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

// ---- what the provider says of itself; the lock is held

static enum err metadata_get(struct provider *provider)
{
	const char *issuer = provider->settings.issuer;
	char sentence[SENTENCE_MAX], *url = NULL;
	size_t length = strlen(issuer);
	if (provider->metadata && monotonic_s() - provider->metadata_s < KEEP_S)
		return ERR_NONE;
	if (asprintf(&url, "%s%s.well-known/openid-configuration", issuer, issuer[length - 1] == '/' ? "" : "/") < 0)
		return ERR_NO_MEMORY;
	json_t *metadata = fetch_json(&(struct fetch){.url = url}, sentence, sizeof sentence);
	free(url);
	if (!metadata)
		return unreachable(sentence);
	// Discovery section 4.3: it must be the one that was asked.
	if (strcmp(text_of(metadata, "issuer"), issuer) != 0 || !*text_of(metadata, "authorization_endpoint") ||
	    !*text_of(metadata, "token_endpoint") || !*text_of(metadata, "jwks_uri")) {
		json_decref(metadata);
		return unreachable("what it says of itself is of another issuer, or incomplete");
	}
	json_decref(provider->metadata);
	provider->metadata = metadata;
	provider->metadata_s = monotonic_s();
	return ERR_NONE;
}

// `again`: a token has named a key that is not among those there are; not asked more often than every few seconds.
static enum err keys_get(struct provider *provider, bool again)
{
	char sentence[SENTENCE_MAX];
	time_t age_s = monotonic_s() - provider->keys_s;
	if (provider->keys && age_s < (again ? KEYS_AGAIN_S : KEEP_S))
		return ERR_NONE;
	json_t *keys =
	    fetch_json(&(struct fetch){.url = text_of(provider->metadata, "jwks_uri")}, sentence, sizeof sentence);
	if (!keys)
		return unreachable(sentence);
	json_decref(provider->keys);
	provider->keys = keys;
	provider->keys_s = monotonic_s();
	return ERR_NONE;
}

// ---- the way there

// Appends name=value, percent-encoded; false when there is no memory.
static bool form_add(struct str *form, struct arena *arena, const char *name, const char *value)
{
	char *escaped = fetch_escape(str_of(value));
	if (!escaped)
		return false;
	*form = arena_format(arena, "%.*s%s%s=%s", STR_ARG(*form), str_empty(*form) ? "" : "&", name, escaped);
	free(escaped);
	return form->at;
}

static void challenge_make(const char *verifier, char challenge[PROVIDER_SECRET_MAX])
{
	uint8_t hash[32];
	digest_sha256(str_of(verifier), hash);
	challenge[digest_base64url(hash, sizeof hash, challenge).length] = '\0';
}

enum err provider_sign_in_url(struct provider *provider, const struct sign_in_secrets *secrets, struct arena *arena,
			      struct str *url)
{
	const struct provider_settings *settings = &provider->settings;
	char challenge[PROVIDER_SECRET_MAX];
	struct str form = STR_NONE;
	challenge_make(secrets->verifier, challenge);
	if (!form_add(&form, arena, "response_type", "code") ||
	    !form_add(&form, arena, "client_id", settings->client_id) ||
	    !form_add(&form, arena, "redirect_uri", settings->redirect_uri) ||
	    !form_add(&form, arena, "scope", settings->scope) || !form_add(&form, arena, "state", secrets->state) ||
	    !form_add(&form, arena, "nonce", secrets->nonce) || !form_add(&form, arena, "code_challenge", challenge) ||
	    !form_add(&form, arena, "code_challenge_method", "S256"))
		return ERR_NO_MEMORY;
	pthread_mutex_lock(&provider->lock);
	enum err err = metadata_get(provider);
	if (!err) {
		const char *endpoint = text_of(provider->metadata, "authorization_endpoint");
		*url = arena_format(arena, "%s%c%.*s", endpoint, strchr(endpoint, '?') ? '&' : '?', STR_ARG(form));
	}
	pthread_mutex_unlock(&provider->lock);
	return err || url->at ? err : ERR_NO_MEMORY;
}

// ---- and back

// Where codes are redeemed, and whether our secret may come there in the form.
static enum err token_endpoint_get(struct provider *provider, struct arena *arena, struct str *url, bool *takes_form)
{
	size_t i;
	const json_t *method;
	pthread_mutex_lock(&provider->lock);
	enum err err = metadata_get(provider);
	*url = err ? STR_NONE : arena_copy(arena, str_of(text_of(provider->metadata, "token_endpoint")));
	*takes_form = false;
	const json_t *methods = json_object_get(provider->metadata, "token_endpoint_auth_methods_supported");
	json_array_foreach(methods, i, method)
	{
		const char *name = json_string_value(method);
		*takes_form |= name && strcmp(name, "client_secret_post") == 0;
	}
	pthread_mutex_unlock(&provider->lock);
	return err || url->at ? err : ERR_NO_MEMORY;
}

// How the token endpoint comes to know us: by Basic credentials, by the form, or by our name alone.
struct credentials {
	char *user, *password; // form-encoded, from malloc
	bool basic, form;
};

// RFC 6749 section 2.3.1: both are form-encoded before they become Basic credentials. There are providers that do not decode
// them; so what encoding changes goes into the form, about which nobody is in doubt, where the provider takes it there.
static enum err credentials_make(const struct provider_settings *settings, bool takes_form, struct credentials *made)
{
	*made = (struct credentials){.user = fetch_escape(str_of(settings->client_id)),
				     .password = fetch_escape(str_of(settings->client_secret))};
	if (!made->user || !made->password)
		return ERR_NO_MEMORY;
	bool doubtful =
	    strcmp(made->user, settings->client_id) != 0 || strcmp(made->password, settings->client_secret) != 0;
	made->form = *settings->client_secret && doubtful && takes_form;
	made->basic = *settings->client_secret && !made->form;
	return ERR_NONE;
}

// The token endpoint's answer. Codes work once, so this is never tried again.
static enum err code_redeem(struct provider *provider, struct str code, const struct sign_in_secrets *secrets,
			    struct arena *arena, json_t **tokens)
{
	const struct provider_settings *settings = &provider->settings;
	char sentence[SENTENCE_MAX];
	struct credentials ours = {0};
	struct str form = STR_NONE, text = arena_copy(arena, code), url;
	bool takes_form;
	long status = 0;
	enum err err = token_endpoint_get(provider, arena, &url, &takes_form);
	if (!err)
		err = credentials_make(settings, takes_form, &ours);
	if (!err && (!text.at || !form_add(&form, arena, "grant_type", "authorization_code") ||
		     !form_add(&form, arena, "code", text.at) ||
		     !form_add(&form, arena, "redirect_uri", settings->redirect_uri) ||
		     !form_add(&form, arena, "code_verifier", secrets->verifier) ||
		     (!ours.basic && !form_add(&form, arena, "client_id", settings->client_id)) ||
		     (ours.form && !form_add(&form, arena, "client_secret", settings->client_secret))))
		err = ERR_NO_MEMORY;
	if (!err) {
		*tokens = fetch_json(&(struct fetch){.url = url.at,
						     .form = form.at,
						     .status = &status,
						     .user = ours.basic ? ours.user : NULL,
						     .password = ours.basic ? ours.password : NULL},
				     sentence, sizeof sentence);
		err = *tokens ? ERR_NONE : unreachable(sentence);
		if (err && status >= 400 && status < 500) // it is there, and does not take the code
			err = ERR_SIGN_IN_FAILED;
	}
	free(ours.user);
	free(ours.password);
	return err;
}

static enum err token_check(struct provider *provider, struct str token, const struct id_token_expected *expected,
			    json_t **claims)
{
	char sentence[SENTENCE_MAX];
	bool unknown_key = false;
	*claims = NULL;
	pthread_mutex_lock(&provider->lock);
	enum err err = metadata_get(provider);
	if (!err)
		err = keys_get(provider, false);
	if (!err) {
		*claims = id_token_check(token, provider->keys, expected, &unknown_key, sentence, sizeof sentence);
		if (!*claims && unknown_key && !keys_get(provider, true)) // the provider has changed its keys
			*claims =
			    id_token_check(token, provider->keys, expected, &unknown_key, sentence, sizeof sentence);
	}
	pthread_mutex_unlock(&provider->lock);
	if (err || *claims)
		return err;
	log_warning("sign_in_provider", LOG_TEXT("why", sentence));
	return ERR_SIGN_IN_FAILED;
}

static enum err name_take(const struct provider *provider, const json_t *claims, struct arena *arena, struct str *name)
{
	const char *claim = provider->settings.claim, *value = text_of(claims, claim);
	// An address that nobody has checked may be anybody's.
	bool unverified = strcmp(claim, "email") == 0 && !json_is_true(json_object_get(claims, "email_verified"));
	if (!*value || unverified) {
		log_warning("sign_in_provider",
			    LOG_TEXT("why", unverified ? "the e-mail address is not verified" : "the claim is missing"),
			    LOG_TEXT("claim", claim));
		return ERR_SIGN_IN_FAILED;
	}
	*name = arena_copy(arena, str_of(value));
	return name->at ? ERR_NONE : ERR_NO_MEMORY;
}

enum err provider_redeem(struct provider *provider, struct str code, const struct sign_in_secrets *secrets,
			 int64_t now_ms, struct arena *arena, struct str *name)
{
	const struct id_token_expected expected = {.issuer = provider->settings.issuer,
						   .client_id = provider->settings.client_id,
						   .nonce = secrets->nonce,
						   .now_s = now_ms / 1000};
	json_t *tokens = NULL, *claims = NULL;
	enum err err = code_redeem(provider, code, secrets, arena, &tokens);
	if (!err)
		err = token_check(provider, str_of(text_of(tokens, "id_token")), &expected, &claims);
	if (!err)
		err = name_take(provider, claims, arena, name);
	json_decref(tokens);
	json_decref(claims);
	return err;
}
