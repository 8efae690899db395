// What holds for the whole site, as the store has it now.
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include "domain/number_plan.h"
#include "http/request.h"

enum err site_read(struct request *request, const struct site **site); // in the request's arena
enum err site_plan(struct request *request, struct number_plan *plan); // likewise
// What to search rows with canonical numbers for: a whole phone number, however it is spelt, by its canonical form; anything else
// as it is.
enum err site_search(struct request *request, struct str *q);

#endif
