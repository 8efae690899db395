// Tokens for machines: a secret shown once, kept as its hash.
#include "http/collection.h"
#include "http/identity.h"

static void token_prepare(struct change *change)
{
	struct token *token = (struct token *)change->entity;
	struct request *request = change->request;
	char hash[SECRET_HASH_MAX];
	if (token->expires_at && token->expires_at <= request_now_ms(request))
		problem_set(problem_list_next(&change->problems), ERR_INVALID_FIELD, "expires_at",
			    "A token ends in the future.");
	if (change->problems.count)
		return;
	if (!secret_make(change->secret, hash)) {
		problem_set(problem_list_next(&change->problems), ERR_INTERNAL, NULL, NULL);
		return;
	}
	token->secret_hash = arena_copy(&request->arena, str_of(hash));
	token->user_id = request->identity.user->entity.id;
	token->created_at = request_now_ms(request);
	if (!token->secret_hash.at)
		problem_set(problem_list_next(&change->problems), ERR_NO_MEMORY, NULL, NULL);
}

const struct resource token_resource = {
    .secret = "secret",
    .prepare = token_prepare,
};
