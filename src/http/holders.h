// Who holds devices now and what they do, and what users have and do, as the call thread knows it.
#ifndef HTTP_HOLDERS_H
#define HTTP_HOLDERS_H

#include "domain/call_table.h"
#include "http/request.h"

struct holder {
	uint64_t user_id; // 0 = nobody
	enum held held;
	size_t holders;     // more than one for external numbers alone
	int64_t expires_at; // of the selection
	bool registered;    // the device has a live binding
	enum device_activity activity;
	char title[104]; // the holder's, terminated
	char extension[16];
};

// One holder for each device.
enum err holders_find(struct request *request, const uint64_t *device_ids, size_t count, struct holder *holders);
json_t *holder_to_json(const struct holder *holder); // null when there is none

struct presence {
	unsigned calls;              // the user is in now
	unsigned reachable;          // devices of theirs that could ring: registered, or reached over a trunk
	uint64_t selected_device_id; // 0 = none
	char number[48], title[104]; // of the selected device
};

// One presence for each user.
enum err presences_find(struct request *request, const uint64_t *user_ids, size_t count, struct presence *presences);

#endif
