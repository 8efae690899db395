// What of the configuration each part of the server is given. Texts stay the settings'.
#ifndef SETTINGS_OF_H
#define SETTINGS_OF_H

#include "http/http.h"
#include "media/rtpengine.h"
#include "settings.h"
#include "sip/endpoint.h"

struct sip_endpoint_settings settings_of_endpoint(const struct settings *settings, struct tls *tls);
// Without the loop and the prompts.
struct rtpengine_options settings_of_media(const struct settings *settings);
struct provider_settings settings_of_single_sign_on(const struct settings *settings);

#endif
