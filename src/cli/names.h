// Finds what people name: a user by extension, a device by number.
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "cli/cli.h"

// The entity's JSON, owned by the caller. NULL: there is none, or it failed; either has been said.
json_t *entity_named(struct cli *cli, enum entity_kind kind, const char *name);
// Its id, owned by the caller.
char *id_named(struct cli *cli, enum entity_kind kind, const char *name);

#endif
