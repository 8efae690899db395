// Lists of SIP statuses as people write them.
#include "domain/status_list.h"

static bool next_status(struct str *list, unsigned *status)
{
	struct str piece;
	uint64_t value;

	while (str_take(list, ' ', &piece)) {
		if (str_empty(piece))
			continue;
		*status = str_to_uint(piece, 699, &value) ? (unsigned)value : 0;
		return true;
	}
	return false;
}

bool status_list_allowed(struct str text)
{
	unsigned status;

	while (next_status(&text, &status))
		if (status < 400)
			return false;
	return true;
}

bool status_list_holds(struct str list, unsigned wanted)
{
	unsigned status;

	while (next_status(&list, &status))
		if (status == wanted)
			return true;
	return false;
}
