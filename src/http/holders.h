// Who holds devices now, as the call thread knows it.
#ifndef HTTP_HOLDERS_H
#define HTTP_HOLDERS_H

#include "http/request.h"

struct holder {
	uint64_t user_id; // 0 = nobody
	bool registered;  // the device has a live binding
	char title[104];  // the holder's, terminated
	char extension[16];
};

// One holder for each device.
enum err holders_find(struct request *request, const uint64_t *device_ids, size_t count, struct holder *holders);

#endif
