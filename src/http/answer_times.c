// How long a device took to be answered, and what that says about the voicemail behind its number.
#include "domain/answer_times.h"
#include "domain/guard.h"
#include "http/answer.h"
#include "http/router.h"
#include "http/server.h"
#include "http/site.h"

#include <stdio.h>

static json_t *or_nothing(json_t *object, bool built)
{
	if (built)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *bucket_show(const size_t bucket[ANSWER_KIND_COUNT], size_t index)
{
	json_t *object = json_object();
	bool built = json_put(object, "from_ms", json_integer((json_int_t)index * ANSWER_BUCKET_MS));
	for (int kind = 0; built && kind < ANSWER_KIND_COUNT; kind++)
		built = json_put(object, answer_kind_names[kind], json_integer((json_int_t)bucket[kind]));
	return or_nothing(object, built);
}

static json_t *buckets_show(const struct answer_times *study)
{
	json_t *array = json_array();
	bool built = array != NULL;
	for (size_t i = 0; built && i < study->bucket_count; i++)
		built = json_array_append_new(array, bucket_show(study->buckets[i], i)) == 0;
	return or_nothing(array, built);
}

static void sentence_write(const struct proposal *proposal, bool soon, char *into, size_t size)
{
	double from_s = (double)proposal->from_ms / 1000, to_s = (double)proposal->to_ms / 1000;

	switch (proposal->reason) {
	case PROPOSAL_NONE_SEEN:
		snprintf(into, size,
			 soon ? "No answer came within 2.5 s of ringing: nothing looks like a voicemail at once."
			      : "No answer came after 10 s of ringing: nothing looks like a voicemail's own time.");
		return;
	case PROPOSAL_VOICEMAIL:
		snprintf(into, size,
			 soon ? "%zu answers came %.1f to %.1f s after it rang: a voicemail, when the phone is off."
			      : "%zu answers came %.1f to %.1f s after it rang, and few around that: the voicemail's "
				"own time.",
			 proposal->answers, from_s, to_s);
		return;
	case PROPOSAL_UNCLEAR:
		snprintf(into, size,
			 soon ? "There are soon answers, but no gap between them and the others."
			      : "There are late answers, but they lie where people answer, too.");
	}
}

static json_t *proposal_show(const struct proposal *proposal, bool soon)
{
	char sentence[160] = "";
	json_t *object = json_object();
	sentence_write(proposal, soon, sentence, sizeof sentence);
	return or_nothing(object,
			  json_put(object, "ms", proposal->ms ? json_integer(proposal->ms) : json_null()) &&
			      json_put(object, "reason", json_string(proposal_reason_names[proposal->reason])) &&
			      json_put(object, "answers", json_integer((json_int_t)proposal->answers)) &&
			      json_put(object, "from_ms", json_integer(proposal->from_ms)) &&
			      json_put(object, "to_ms", json_integer(proposal->to_ms)) &&
			      json_put(object, "sentence", json_string(sentence)));
}

static json_t *study_show(const struct answer_times *study, struct guard guard)
{
	json_t *object = json_object();
	bool built =
	    json_put(object, "answers", json_integer((json_int_t)study->answers)) &&
	    json_put(object, "answers_needed", json_integer(ANSWER_TIMES_NEEDED)) &&
	    json_put(object, "too_soon_ms", json_integer((json_int_t)guard.too_soon_ms)) &&
	    json_put(object, "too_late_ms", json_integer((json_int_t)guard.too_late_ms)) &&
	    json_put(object, "bucket_ms", json_integer(ANSWER_BUCKET_MS)) &&
	    json_put(object, "buckets", buckets_show(study)) &&
	    json_put(object, "too_soon", study->proposes ? proposal_show(&study->too_soon, true) : json_null()) &&
	    json_put(object, "too_late", study->proposes ? proposal_show(&study->too_late, false) : json_null());
	return or_nothing(object, built);
}

struct answer device_answer_times(struct request *request)
{
	struct records *records = server_records(request->server);
	struct answer_times study;
	struct answer_time *times;
	struct entity *device;
	const struct site *site;
	uint64_t id;
	size_t count;
	if (!str_to_uint(request->id, INT64_MAX, &id))
		return answer_err(request, ERR_NOT_FOUND);
	enum err err = records->get(records->context, ENTITY_DEVICE, id, &request->arena, &device);
	if (!err)
		err = site_read(request, &site);
	if (!err)
		err = records->answer_times(records->context, id, &request->arena, &times, &count);
	if (err)
		return answer_err(request, err);
	answer_times_study(times, count, &study);
	study.proposes = study.proposes && !device_kind_registers(((const struct device *)device)->device_kind);
	return answer_json(request, 200, study_show(&study, guard_of((const struct device *)device, site)));
}
