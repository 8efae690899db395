// The text of a trunk's targets.
#include "domain/trunk_target.h"

#include "base/net.h"

static bool number_read(struct str text, uint16_t *number)
{
	uint64_t value;

	if (str_empty(text) || !str_to_uint(text, UINT16_MAX, &value))
		return false;
	*number = (uint16_t)value;
	return true;
}

static bool host_read(struct str text, struct trunk_target *target)
{
	struct net_address address;
	struct str host = text;
	size_t colon = str_index(text, ':');

	if (net_address_parse(text, 0, &address)) {
		target->host = text;
		return true;
	}
	if (!str_empty(text) && text.at[0] == '[') {
		size_t end = str_index(text, ']');
		if (end + 1 >= text.length || text.at[end + 1] != ':')
			return false;
		colon = end + 1;
	}
	host = str_first(text, colon);
	if (colon < text.length && (!number_read(str_from(text, colon + 1), &target->port) || target->port == 0))
		return false;
	target->host = host;
	return net_address_parse(host, 0, &address) || net_name_valid(host);
}

static bool parameter_read(struct str text, struct trunk_target *target)
{
	struct str name;

	if (!str_take(&text, '=', &name))
		return false;
	if (str_equal(name, STR("priority")))
		return number_read(text, &target->priority);
	return str_equal(name, STR("weight")) && number_read(text, &target->weight);
}

static bool target_read(struct str text, struct trunk_target *target)
{
	struct str piece;

	*target = (struct trunk_target){.port = 0};
	if (!str_take(&text, ';', &piece) || !host_read(piece, target))
		return false;
	while (str_take(&text, ';', &piece))
		if (!parameter_read(piece, target))
			return false;
	return true;
}

static bool is_there(const struct trunk_target *targets, size_t count, const struct trunk_target *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].port == wanted->port && str_equal_nocase(targets[i].host, wanted->host))
			return true;
	return false;
}

bool trunk_targets_parse(struct str text, struct trunk_target targets[TRUNK_TARGETS_MAX], size_t *count)
{
	struct trunk_target target;
	struct str piece;

	*count = 0;
	while (str_take(&text, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		if (*count == TRUNK_TARGETS_MAX || !target_read(piece, &target) || is_there(targets, *count, &target))
			return false;
		targets[(*count)++] = target;
	}
	return true;
}

// The connection points of Direct Routing: the first one stands for the nearest region, the others for the next two.
static size_t teams_targets(const struct trunk *trunk, struct trunk_target targets[TRUNK_TARGETS_MAX])
{
	static const char *const names[] = {"sip.pstnhub.microsoft.com", "sip2.pstnhub.microsoft.com",
					    "sip3.pstnhub.microsoft.com"};
	uint16_t port = trunk->port ? (uint16_t)trunk->port : TEAMS_PORT;
	size_t count = str_equal_nocase(trunk->host, str_of(names[0])) ? sizeof names / sizeof *names : 1;

	targets[0] = (struct trunk_target){.host = trunk->host, .port = port};
	for (size_t i = 1; i < count; i++)
		targets[i] = (struct trunk_target){.host = str_of(names[i]), .port = port, .priority = (uint16_t)i};
	return count;
}

size_t trunk_targets(const struct trunk *trunk, struct trunk_target targets[TRUNK_TARGETS_MAX])
{
	size_t count;

	if (!trunk_targets_parse(trunk->targets, targets, &count) || count == 0) {
		if (trunk_is_teams(trunk))
			return teams_targets(trunk, targets);
		targets[0] = (struct trunk_target){.host = trunk->host, .port = (uint16_t)trunk->port};
		return 1;
	}
	for (size_t i = 0; i < count && trunk_is_teams(trunk); i++)
		if (targets[i].port == 0)
			targets[i].port = TEAMS_PORT;
	return count;
}
