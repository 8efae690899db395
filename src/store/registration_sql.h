// Bindings in the database.
#ifndef STORE_REGISTRATION_SQL_H
#define STORE_REGISTRATION_SQL_H

#include "domain/registration.h"
#include "store/database.h"

// ERR_NOT_FOUND when the device is gone; then nothing was written. After another error part of it may have been.
enum err registration_save(struct database *database, const struct registration_write *write);
// Every binding that ends after now_ms. The visitor gives false to stop, which becomes ERR_INTERNAL.
enum err registration_load(struct database *database, int64_t now_ms,
			   bool (*visit)(void *context, const struct binding *binding), void *context);

#endif
