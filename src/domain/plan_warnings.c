// What of a user's settings will not do what it looks like, found before anybody calls.
#include "domain/call.h"

static bool add(struct ring_explanation *explanation, const char *code, struct str detail, struct str sentence)
{
	if (!detail.at || !sentence.at)
		return false;
	if (explanation->warning_count < RING_WARNINGS_MAX)
		explanation->warnings[explanation->warning_count++] = (struct ring_warning){code, detail, sentence};
	return true;
}

// Who is called next when nobody answers, or NULL: nobody of ours.
static const struct user *next_of(const struct directory *directory, const struct user *user)
{
	struct destination destination = {.user = NULL};
	struct problem problem = {.err = ERR_NONE};
	const struct did *did;

	switch ((enum unanswered)user->unanswered) {
	case UNANSWERED_EXTENSION:
		return directory_user_by_extension(directory, user->unanswered_target);
	case UNANSWERED_OUTSIDE:
		if (number_parse(directory_plan(directory), user->unanswered_target, &destination.outside, &problem))
			return NULL;
		did = directory_did(directory, str_of(destination.outside.canonical), 0);
		if (did)
			(void)destination_of_did(directory, did, str_of(destination.outside.canonical), &destination);
		return destination.user;
	case UNANSWERED_BUSY:
	case UNANSWERED_HANG_UP:
		break;
	}
	return NULL;
}

static bool warn_of_loop(const struct directory *directory, const struct user *user, struct arena *arena,
			 struct ring_explanation *explanation)
{
	const struct user *chain[FORWARDS_MAX + 2] = {user};
	size_t count = 1;
	struct str way = arena_copy(arena, user->extension);

	while (count <= FORWARDS_MAX + 1 && way.at) {
		const struct user *next = next_of(directory, chain[count - 1]);
		if (!next)
			return true;
		way = arena_format(arena, "%.*s, %.*s", STR_ARG(way), STR_ARG(next->extension));
		for (size_t i = 0; i < count; i++)
			if (chain[i] == next)
				return add(explanation, "forward_loop", way,
					   arena_format(
					       arena, "When nobody answers, the call goes round: %.*s. There it ends.",
					       STR_ARG(way)));
		if (count == FORWARDS_MAX + 1)
			break;
		chain[count++] = next;
	}
	return add(explanation, "forward_chain", way,
		   arena_format(arena,
				"When nobody answers, the call goes on more often than the %d times it may: %.*s.",
				FORWARDS_MAX, STR_ARG(way)));
}

static bool warn_of_caller_id(const struct directory *directory, const struct user *user, struct arena *arena,
			      struct ring_explanation *explanation)
{
	struct problem problem = {.err = ERR_NONE};
	struct number number;

	if (str_empty(user->caller_id))
		return true;
	if (number_parse(directory_plan(directory), user->caller_id, &number, &problem) == ERR_NONE &&
	    directory_did(directory, str_of(number.canonical), 0))
		return true;
	return add(explanation, "foreign_caller_id", arena_copy(arena, user->caller_id),
		   arena_format(arena, "%.*s is shown outside but is none of our numbers: carriers may refuse it.",
				STR_ARG(user->caller_id)));
}

static bool warn_of_own_did(const struct directory *directory, const struct user *user, struct arena *arena,
			    struct ring_explanation *explanation)
{
	struct turn_plan plan[USER_TURNS_MAX];
	size_t count = directory_turns(directory, user, plan);

	if (!str_empty(caller_id_of_user(directory, user)))
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct device *device = directory_device(directory, plan[i].device_id);
		if (device && !device_kind_registers(device->device_kind) && device->caller_id == CALLER_ID_OWN_DID)
			return add(
			    explanation, "no_own_number", arena_copy(arena, device->number),
			    arena_format(
				arena,
				"%.*s is to show the user's own number, but there is none: the trunk's is shown.",
				STR_ARG(device->number)));
	}
	return true;
}

bool plan_warn(const struct directory *directory, const struct user *user, struct arena *arena,
	       struct ring_explanation *explanation)
{
	return warn_of_loop(directory, user, arena, explanation) &&
	       warn_of_caller_id(directory, user, arena, explanation) &&
	       warn_of_own_did(directory, user, arena, explanation);
}
