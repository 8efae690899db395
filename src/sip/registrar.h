// The registrar (RFC 3261 section 10): reads a REGISTER, has the bindings made durable, and answers only then.
#ifndef SIP_REGISTRAR_H
#define SIP_REGISTRAR_H

#include "sip/core.h"

struct sip_registrar_settings {
	unsigned min_s, max_s, default_s; // of a binding's life
};

struct sip_registrar *sip_registrar_create(struct sip_endpoint *endpoint,
					   const struct sip_registrar_settings *settings); // NULL: no memory
// For REGISTERs from now on.
void sip_registrar_change(struct sip_registrar *registrar, const struct sip_registrar_settings *settings);
void sip_registrar_destroy(struct sip_registrar *registrar);
// A REGISTER that passed the rules and has not been seen before.
void sip_registrar_receive(struct sip_registrar *registrar, const struct flow *from, const struct sip_message *request);
// For how long the oldest REGISTER has waited for the store; 0: none waits.
uint64_t sip_registrar_waits_ms(const struct sip_registrar *registrar);
uint64_t sip_registrar_count(const struct sip_registrar *registrar); // REGISTERs accepted

#endif
