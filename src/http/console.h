// The console's files: read into memory once, when the server starts, and never changed after that.
#ifndef HTTP_CONSOLE_H
#define HTTP_CONSOLE_H

#include "http/request.h"

struct console;

// Reads what web/dist has: index.html, files that are named by their content in assets/, and beside a file its
// compressed forms (.gz, .br). 0, or a negative errno: -ENOENT when `folder` holds no console, -EFBIG when it holds too
// much to be one.
int console_create(const char *folder, struct console **created);
void console_destroy(struct console *console);
// The answer for a path that is no operation of the API. Pages have addresses of their own (/users/12), so whatever does
// not look like a file gets index.html. Status 0: nothing is there. `console` may be NULL: then nothing ever is.
struct answer console_answer(const struct console *console, struct request *request);

#endif
