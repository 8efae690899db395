// What holds for the whole site, as the store has it now.
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include "domain/site.h"
#include "http/request.h"

enum err site_read(struct request *request, const struct site **site); // in the request's arena

#endif
