#include "media/none.h"

static bool none_available(void *context)
{
	(void)context;
	return false;
}

struct media media_none(void)
{
	return (struct media){.context = NULL, .available = none_available};
}
