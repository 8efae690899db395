// The body of a busy lamp's NOTIFY: application/dialog-info+xml (RFC 4235 section 4).
#ifndef SIP_DIALOG_INFO_H
#define SIP_DIALOG_INFO_H

#include "base/writer.h"
#include "domain/lamp.h"

// What is shown of an extension. All of it is borrowed.
struct dialog_info {
	struct str entity;    // its URI, as it was subscribed to
	struct str extension; // the dialog's id while there is none: an empty list leaves some phones' lamps unknown
	struct str name;      // its holder's, or empty
	struct str host;      // of the URIs of others
	bool nameless;        // nobody is told who the others are
};

// Where a call can be picked up by INVITE with Replaces (RFC 3891): local is our side of the dialog, so to-tag of Replaces. All
// empty: nowhere.
struct dialog_info_pickup {
	struct str call_id, local_tag, remote_tag;
};

// In this order. Full state each time: RFC 4235 section 4.3 allows it, and no phone has to remember.
void dialog_info_begin(struct writer *w, const struct dialog_info *info, unsigned version);
void dialog_info_call(struct writer *w, const struct dialog_info *info, const struct lamp_call *call,
		      const struct dialog_info_pickup *pickup);
void dialog_info_nothing(struct writer *w, const struct dialog_info *info); // there is no call
void dialog_info_end(struct writer *w);

#endif
