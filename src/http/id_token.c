// The signature by cjose, the claims by jansson.
#include "http/id_token.h"

#include <cjose/cjose.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Signatures with a private key alone: "none" is no signature, and with HS256 whoever knows a public key could sign.
static bool algorithm_is_safe(const char *name)
{
	static const char *const safe[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
					   "PS512", "ES256", "ES384", "ES512"};
	for (size_t i = 0; name && i < sizeof safe / sizeof *safe; i++)
		if (strcmp(safe[i], name) == 0)
			return true;
	return false;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

// The key that the token names, or the only one there is.
static const json_t *key_find(const json_t *keys, const char *kid)
{
	const json_t *list = json_object_get(keys, "keys"), *key, *found = NULL;
	size_t i, count = 0;
	json_array_foreach(list, i, key)
	{
		if (strcmp(text_of(key, "use"), "enc") == 0 || strcmp(text_of(key, "kty"), "oct") == 0)
			continue;
		count++;
		if (kid && strcmp(text_of(key, "kid"), kid) == 0)
			return key;
		found = key;
	}
	return !kid && count == 1 ? found : NULL;
}

static bool signature_check(cjose_jws_t *jws, const json_t *key)
{
	cjose_err error;
	char *text = json_dumps(key, JSON_COMPACT);
	cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), &error) : NULL;
	bool right = jwk && cjose_jws_verify(jws, jwk, &error);
	cjose_jwk_release(jwk);
	free(text);
	return right;
}

// An audience is a text or a list of them; of several the authorized party must be ours.
static bool audience_is(const json_t *claims, const char *client_id)
{
	const json_t *audience = json_object_get(claims, "aud"), *party = json_object_get(claims, "azp"), *one;
	size_t i;
	bool named = json_is_string(audience) && strcmp(json_string_value(audience), client_id) == 0;
	json_array_foreach(audience, i, one) named |=
	    json_is_string(one) && strcmp(json_string_value(one), client_id) == 0;
	if (json_array_size(audience) > 1 && !party)
		return false;
	return named && (!party || strcmp(text_of(claims, "azp"), client_id) == 0);
}

static const char *claims_refuse(const json_t *claims, const struct id_token_expected *expected)
{
	const json_t *ends = json_object_get(claims, "exp"), *issued = json_object_get(claims, "iat");
	if (strcmp(text_of(claims, "iss"), expected->issuer) != 0)
		return "another issuer";
	if (!audience_is(claims, expected->client_id))
		return "for another client";
	if (!str_equal_secret(str_of(text_of(claims, "nonce")), str_of(expected->nonce)))
		return "for another sign-in (nonce)";
	if (!json_is_number(ends) || json_number_value(ends) <= (double)(expected->now_s - CLOCK_SKEW_S))
		return "expired";
	if (!json_is_number(issued) || json_number_value(issued) > (double)(expected->now_s + CLOCK_SKEW_S))
		return "issued in the future";
	return NULL;
}

static json_t *claims_read(cjose_jws_t *jws)
{
	cjose_err error;
	uint8_t *text = NULL;
	size_t size = 0;
	if (!cjose_jws_get_plaintext(jws, &text, &size, &error))
		return NULL;
	return json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, NULL);
}

static const char *token_refuse(cjose_jws_t *jws, const json_t *keys, const struct id_token_expected *expected,
				bool *unknown_key, json_t **claims)
{
	cjose_err error;
	cjose_header_t *header = cjose_jws_get_protected(jws);
	if (!algorithm_is_safe(cjose_header_get(header, CJOSE_HDR_ALG, &error)))
		return "signed with an algorithm that is not safe";
	const json_t *key = key_find(keys, cjose_header_get(header, CJOSE_HDR_KID, &error));
	*unknown_key = !key;
	if (!key)
		return "signed with an unknown key";
	if (!signature_check(jws, key))
		return "its signature is wrong";
	*claims = claims_read(jws);
	return json_is_object(*claims) ? claims_refuse(*claims, expected) : "no JSON";
}

json_t *id_token_check(struct str token, const json_t *keys, const struct id_token_expected *expected,
		       bool *unknown_key, char *sentence, size_t size)
{
	cjose_err error;
	json_t *claims = NULL;
	*unknown_key = false;
	cjose_jws_t *jws = cjose_jws_import(token.at, token.length, &error);
	const char *why = jws ? token_refuse(jws, keys, expected, unknown_key, &claims) : "not a signed token";
	if (jws)
		cjose_jws_release(jws);
	if (!why)
		return claims;
	snprintf(sentence, size, "the ID token is refused: %s", why);
	json_decref(claims);
	return NULL;
}
