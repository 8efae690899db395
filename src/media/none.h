// No media relay: what needs one is refused, the rest does not notice.
#ifndef MEDIA_NONE_H
#define MEDIA_NONE_H

#include "domain/media.h"

struct media media_none(void);

#endif
