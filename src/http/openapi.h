// The API's description as JSON, made from api/openapi.yaml when Carillon is built.
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include <stddef.h>

extern const char openapi_document[];
extern const size_t openapi_document_size;

#endif
