// Phones that register and refresh.
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *asked_us; // per device: when its REGISTER went out; 0: answered
static uint64_t open_count;

bool registrations_begin(struct load *load)
{
	asked_us = calloc((size_t)load->options.users * load->options.devices, sizeof *asked_us);
	return asked_us;
}

void registrations_end(void)
{
	free(asked_us);
}

uint64_t registrations_open(const struct load *load)
{
	(void)load;
	return open_count;
}

// A registrar of users gets a user's devices as contacts of one address; of those in sequence the first has the highest q.
static void registration_send(struct load *load, unsigned device)
{
	const struct options *options = &load->options;
	char text[MESSAGE_MAX];
	struct writer w = writer_into(text, sizeof text);
	unsigned link = load_link_of(load, device), number = load_name(options, device);
	uint32_t cseq = ++load->registers;

	writer_format(&w,
		      "REGISTER sip:bench SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKr%u-%x-%x;rport\r\n"
		      "Max-Forwards: 70\r\nFrom: <sip:%u@bench>;tag=r%x\r\nTo: <sip:%u@bench>\r\nCall-ID: r%u-%x\r\n"
		      "CSeq: %u REGISTER\r\n",
		      wire_via(load->wire), wire_address(load->wire, link), device, load_run, cseq, number, cseq,
		      number, device, load_run, cseq);
	writer_format(&w, "Contact: <sip:%u@%s%s>", load_device_number(options, device), wire_address(load->wire, link),
		      wire_parameter(load->wire));
	if (options->plan == PLAN_IN_SEQUENCE)
		writer_format(&w, ";q=0.%u", 9 - device % options->devices);
	writer_format(&w, "\r\nExpires: %u\r\n", options->expires_s);
	load_authorize(load, &w, "Authorization", number, "REGISTER", "sip:bench");
	writer_text(&w, "Content-Length: 0\r\n\r\n");
	wire_send(load->wire, link, writer_result(&w));
}

void registration_start(struct load *load, unsigned device)
{
	load->registrations.started++;
	if (asked_us[device])
		load->registrations.failed++; // still without an answer
	else
		open_count++;
	asked_us[device] = load->now_us;
	registration_send(load, device);
}

static bool lists_contact(const struct load *load, unsigned device, const struct message *message)
{
	char contact[64];

	snprintf(contact, sizeof contact, "sip:%u@", load_device_number(&load->options, device));
	return memmem(message->vias.at, message->length, contact, strlen(contact)) != NULL;
}

void registration_answered(struct load *load, const struct message *message)
{
	uint64_t device, devices = (uint64_t)load->options.users * load->options.devices;
	struct str number = message_between(message->branch, "z9hG4bKr", "-");

	if (!str_to_uint(number, devices - 1, &device) || !asked_us[device]) {
		load->registrations.unexpected++;
		load_complain(load, "answer to no REGISTER", message->branch);
		return;
	}
	if ((message->status == 401 || message->status == 407) && load_take_challenge(load, message->challenge)) {
		registration_send(load, (unsigned)device);
		return;
	}
	if (message->status != 200 || str_empty(message->to_tag) ||
	    lists_contact(load, (unsigned)device, message) != (load->options.expires_s > 0)) {
		load->registrations.failed++;
		load_complain(load, "REGISTER", message->vias);
	} else {
		load->registrations.done++;
		load_latency(load, load->now_us - asked_us[device]);
	}
	asked_us[device] = 0;
	open_count--;
}
