// The fields of the site's settings.
#define OF struct site
#include "domain/site.h"

#include "domain/fields.h"

static const char *const multi_login_names[] = {"allow", "refuse", "take_over", NULL};

static const struct field site_fields[] = {
    INTEGER(session_life_s, .min = 300, .max = 2592000, .fallback = "43200",
	    .rule = "A sign-in lasts 300 to 2592000 seconds."),
    INTEGER(session_idle_s, .min = 0, .max = 2592000, .fallback = "28800",
	    .rule = "A sign-in ends after up to 2592000 seconds without a request; 0 means never."),
    INTEGER(lease_s, .min = 0, .max = 2592000, .fallback = "43200",
	    .rule = "A selected device is kept for up to 2592000 seconds; 0 means until the sign-out."),
    CHOICE(multi_login, .choices = multi_login_names, .fallback = "allow"),
};

const struct entity_type site_type = ENTITY_TYPE(ENTITY_SITE, "settings", "settings", site_fields, .check = NULL);
