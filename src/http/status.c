// Is everything all right, and if not, what? One resource that can be read in five seconds.
#include "http/answer.h"
#include "http/router.h"
#include "http/server.h"
#include "http/teams_presence.h"
#include "http/trunk_state.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	OVERVIEW_AGE_MS = 5000,
	CERTIFICATE_WARN_DAYS = 14,
	PRESENCE_SILENT_MS = 600000,
	DISK_WARN_MIB = 1024,
	DISK_ERROR_MIB = 100,
	S_PER_DAY = 24 * 60 * 60
};

// Warnings and errors mean that not all is right; a note is worth knowing.
enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
static const char *const severity_names[] = {"error", "warning", "note"};

// ---- what is known

struct status_question {
	struct question question;
	const struct http_settings *settings;
	struct toll_alarm alarms[TOLL_ALARMS_MAX];
	size_t alarm_count;
	struct http_status status;
	struct trunks_sick trunks;
	size_t calls, registrations;
	enum err read; // why the database was not read
};

static void status_answer(struct question *question)
{
	struct status_question *asked = container_of(question, struct status_question, question);
	if (asked->settings->status)
		asked->settings->status(asked->settings->context, &asked->status);
	trunks_look(asked->settings, question->directory, &asked->trunks);
	asked->calls = question->calls ? call_table_count(question->calls) : 0;
	const struct toll *toll = question->calls ? call_table_toll(question->calls) : NULL;
	if (toll)
		asked->alarm_count = toll_alarms(toll, asked->alarms, TOLL_ALARMS_MAX);
	asked->registrations = registrations_count(question->registrations);
}

static enum err overview_get(struct request *request, struct store_overview *overview)
{
	struct records *records = server_records(request->server);
	struct overview_cache *cache = server_overview(request->server);
	int64_t now_ms = request_now_ms(request);
	enum err err = ERR_NONE;
	pthread_mutex_lock(&cache->lock);
	if (cache->read_at_ms == 0 || now_ms < cache->read_at_ms || now_ms >= cache->read_at_ms + OVERVIEW_AGE_MS) {
		err = records->overview(records->context, &cache->overview);
		cache->read_at_ms = err ? 0 : now_ms;
	}
	*overview = cache->overview;
	pthread_mutex_unlock(&cache->lock);
	return err;
}

// ---- what is wrong

struct findings {
	json_t *list; // NULL once there was no memory
	bool all_right;
};

static void finding_add(struct findings *findings, enum severity severity, const char *code, const char *sentence,
			const struct overview_group *group)
{
	json_t *object = json_object(), *examples = json_array();
	bool built = true;
	for (uint64_t i = 0; group && built && i < OVERVIEW_EXAMPLES_MAX && group->examples[i].id; i++) {
		json_t *example = json_object();
		built = json_put(example, "id", json_id(group->examples[i].id)) &&
			json_put(example, "label", json_text(str_of(group->examples[i].label)));
		built = json_array_append_new(examples, example) == 0 && built;
	}
	built = json_put(object, "examples", examples) && built && json_put(object, "code", json_string(code)) &&
		json_put(object, "severity", json_string(severity_names[severity])) &&
		json_put(object, "sentence", json_text(str_of(sentence))) &&
		json_put(object, "count", json_integer(group ? (json_int_t)group->count : 1));
	if (severity != SEVERITY_NOTE)
		findings->all_right = false;
	built = findings->list && json_array_append(findings->list, object) == 0 && built;
	json_decref(object);
	if (built)
		return;
	json_decref(findings->list);
	findings->list = NULL;
}

// What is said of one thing, and of several, after their count.
struct said {
	const char *one, *several;
};

static void count_add(struct findings *findings, enum severity severity, const char *code, struct said said,
		      uint64_t count, const struct overview_group *group)
{
	const struct overview_group counted = {.count = count};
	char sentence[200];
	if (count == 0)
		return;
	snprintf(sentence, sizeof sentence, "%" PRIu64 " %s", count, count == 1 ? said.one : said.several);
	finding_add(findings, severity, code, sentence, group ? group : &counted);
}

static void group_add(struct findings *findings, enum severity severity, const char *code, struct said said,
		      const struct overview_group *group)
{
	count_add(findings, severity, code, said, group->count, group);
}

static void certificate_look(struct findings *findings, const struct http_status *status, int64_t now_ms)
{
	char sentence[120];
	int64_t left_s = status->certificate_ends_s - now_ms / 1000;
	if (status->certificate_ends_s == 0 || left_s > CERTIFICATE_WARN_DAYS * S_PER_DAY)
		return;
	if (left_s <= 0) {
		finding_add(findings, SEVERITY_ERROR, "certificate_expired", "The TLS certificate has expired.", NULL);
		return;
	}
	snprintf(sentence, sizeof sentence, "The TLS certificate expires in %" PRId64 " days.", left_s / S_PER_DAY);
	finding_add(findings, SEVERITY_WARNING, "certificate_expires", sentence, NULL);
}

static void disk_look(struct findings *findings, const struct store_overview *overview)
{
	char sentence[120];
	int64_t free_mib = overview->disk_free_bytes >> 20;
	if (overview->disk_free_bytes < 0 || free_mib >= DISK_WARN_MIB)
		return;
	snprintf(sentence, sizeof sentence, "The database's disk has %" PRId64 " MiB left.", free_mib);
	finding_add(findings, free_mib < DISK_ERROR_MIB ? SEVERITY_ERROR : SEVERITY_WARNING, "disk_full", sentence,
		    NULL);
}

static void server_look(struct findings *findings, const struct http_status *status)
{
	count_add(findings, SEVERITY_WARNING, "records_lost",
		  (struct said){"call record was lost since the start.", "call records were lost since the start."},
		  status->records_lost, NULL);
	count_add(findings, SEVERITY_NOTE, "sources_banned",
		  (struct said){"address is banned for wrong passwords.", "addresses are banned for wrong passwords."},
		  status->banned, NULL);
}

static void overload_look(struct findings *findings, const struct http_status *status)
{
	char sentence[160];

	count_add(findings, SEVERITY_NOTE, "calls_refused",
		  (struct said){"call was sent away by overload since the start.",
				"calls were sent away by overload since the start."},
		  status->overload.refused_calls, NULL);
	count_add(findings, SEVERITY_NOTE, "registrations_refused",
		  (struct said){"registration was sent away by overload since the start.",
				"registrations were sent away by overload since the start."},
		  status->overload.refused_registers, NULL);
	if (!status->overload.now)
		return;
	snprintf(sentence, sizeof sentence,
		 "The server is overloaded: it is busy for %u %% of the time and takes %u %% of new calls.",
		 status->overload.busy_percent, status->overload.admitted_percent);
	finding_add(findings, SEVERITY_WARNING, "overloaded", sentence, NULL);
}

// Down or all down: browsers, Teams and prompts need one.
static void relays_look(struct findings *findings, const struct http_status *status)
{
	char sentence[MEDIA_RELAY_NAME_MAX + 80];
	size_t down = 0;
	for (size_t i = 0; i < status->relay_count; i++) {
		if (status->relays[i].up)
			continue;
		if (down++ == 0)
			snprintf(sentence, sizeof sentence, "Media relay %s does not answer.", status->relays[i].name);
	}
	if (down == 0)
		return;
	const struct overview_group counted = {.count = down};
	if (down == status->relay_count && down > 1)
		snprintf(sentence, sizeof sentence, "No media relay answers.");
	else if (down > 1)
		snprintf(sentence, sizeof sentence, "%zu media relays do not answer.", down);
	finding_add(findings, down == status->relay_count ? SEVERITY_ERROR : SEVERITY_WARNING, "media_relay_down",
		    sentence, &counted);
}

// One alone says why.
static void registrations_look(struct findings *findings, const struct trunks_sick *trunks)
{
	const struct overview_group *group = &trunks->unregistered;
	char sentence[TRUNK_REGISTRATION_SENTENCE_MAX + sizeof group->examples[0].label + 40];
	if (group->count == 1) {
		snprintf(sentence, sizeof sentence, "Trunk %s is not registered: %s", group->examples[0].label,
			 trunks->why);
		finding_add(findings, SEVERITY_ERROR, "trunk_unregistered", sentence, group);
	} else {
		group_add(findings, SEVERITY_ERROR, "trunk_unregistered",
			  (struct said){"", "trunks are not registered at their carriers."}, group);
	}
}

// A short silence is nothing to worry about.
static void presence_look(struct findings *findings, struct request *request)
{
	struct teams_presence_view view;
	char sentence[sizeof view.sentence + 60];
	teams_presence_look(server_teams_presence(request->server), &view);
	if (view.state != TEAMS_PRESENCE_REFUSED &&
	    (view.state != TEAMS_PRESENCE_WAITING || request_now_ms(request) - view.heard_at < PRESENCE_SILENT_MS))
		return;
	snprintf(sentence, sizeof sentence, "The presence of Teams users is not known. %s", view.sentence);
	finding_add(findings, SEVERITY_WARNING, "teams_presence", sentence, NULL);
}

// Call records that are not written yet only wait for each other, unless the database fails.
static void store_look(struct findings *findings, struct request *request, const struct status_question *asked)
{
	struct records *records = server_records(request->server);
	char sentence[256] = "";
	if (records->healthy(records->context, sentence, sizeof sentence) && !asked->read)
		return;
	finding_add(findings, SEVERITY_ERROR, "store_unavailable",
		    sentence[0] ? sentence : "The database cannot be used.", NULL);
	count_add(findings, SEVERITY_WARNING, "records_waiting",
		  (struct said){"call record waits for the database.", "call records wait for the database."},
		  asked->status.records_waiting, NULL);
}

// One finding for all users, one for all trunks, one for the site; what is reached and what is near are two.
static void alarms_look(struct findings *findings, const struct status_question *asked, enum toll_scope scope,
			bool reached)
{
	static const char *const codes[TOLL_SCOPE_COUNT][2] = {
	    {"users_near_outside_limit", "users_at_outside_limit"},
	    {"trunks_near_outside_limit", "trunks_at_outside_limit"},
	    {"site_near_outside_limit", "site_at_outside_limit"},
	};
	static const char *const sentences[TOLL_SCOPE_COUNT][2] = {
	    {"Users are near their limit of calls to the outside.",
	     "Calls to the outside were refused: users are at their limit. Somebody may have their password."},
	    {"Trunks are near their limit of calls within an hour.",
	     "Calls to the outside were refused: trunks are at their limit."},
	    {"The site is near its limit of calls to the outside.",
	     "Calls to the outside were refused: the site is at its limit."},
	};
	struct overview_group group = {.count = 0};
	char said[400], last[TOLL_ALARM_SENTENCE_MAX] = "";
	for (size_t i = 0; i < asked->alarm_count; i++) {
		const struct toll_alarm *alarm = &asked->alarms[i];
		if (alarm->scope != scope || alarm->reached != reached)
			continue;
		struct str text = toll_alarm_sentence(alarm, last);
		if (group.count < OVERVIEW_EXAMPLES_MAX) {
			group.examples[group.count].id = alarm->id;
			snprintf(group.examples[group.count].label, sizeof group.examples[0].label, "%.*s",
				 STR_ARG(str_first(text, sizeof group.examples[0].label - 1)));
		}
		group.count++;
	}
	if (group.count == 0)
		return;
	snprintf(said, sizeof said, "%s%s%s", sentences[scope][reached], scope == TOLL_OF_SITE ? " " : "",
		 scope == TOLL_OF_SITE ? last : ""); // there is one site, and it has no page
	finding_add(findings, reached ? SEVERITY_ERROR : SEVERITY_WARNING, codes[scope][reached], said,
		    scope == TOLL_OF_SITE ? NULL : &group);
}

static json_t *findings_gather(struct request *request, const struct status_question *asked,
			       const struct store_overview *overview, bool *all_right)
{
	struct findings findings = {json_array(), true};
	store_look(&findings, request, asked);
	disk_look(&findings, overview);
	certificate_look(&findings, &asked->status, request_now_ms(request));
	for (int scope = 0; scope < TOLL_SCOPE_COUNT; scope++) {
		alarms_look(&findings, asked, (enum toll_scope)scope, true);
		alarms_look(&findings, asked, (enum toll_scope)scope, false);
	}
	server_look(&findings, &asked->status);
	overload_look(&findings, &asked->status);
	relays_look(&findings, &asked->status);
	registrations_look(&findings, &asked->trunks);
	presence_look(&findings, request);
	group_add(&findings, SEVERITY_ERROR, "trunk_down",
		  (struct said){"trunk is out of service: none of its targets answers.",
				"trunks are out of service: none of their targets answers."},
		  &asked->trunks.down);
	group_add(
	    &findings, SEVERITY_WARNING, "trunk_target_down",
	    (struct said){"trunk has a target that is out of service.", "trunks have targets that are out of service."},
	    &asked->trunks.limping);
	group_add(&findings, SEVERITY_WARNING, "users_unreachable",
		  (struct said){"user has devices, and none of them can ring.",
				"users have devices, and none of them can ring."},
		  &overview->unreachable_users);
	group_add(&findings, SEVERITY_WARNING, "devices_unregistered",
		  (struct said){"assigned device is not registered.", "assigned devices are not registered."},
		  &overview->unregistered);
	group_add(&findings, SEVERITY_NOTE, "users_without_device",
		  (struct said){"user has no device now.", "users have no device now."},
		  &overview->users_without_device);
	*all_right = findings.all_right;
	return findings.list;
}

static json_t *relay_show(const struct media_relay_state *relay)
{
	char address[64];
	struct writer w = writer_into(address, sizeof address);
	json_t *object = json_object();
	net_address_write(&w, &relay->address);
	if (json_put(object, "name", json_text(str_of(relay->name))) &&
	    json_put(object, "address", json_text(writer_result(&w))) &&
	    json_put(object, "up", json_boolean(relay->up)) && json_put(object, "since", json_time(relay->since)) &&
	    json_put(object, "sessions", json_integer((json_int_t)relay->sessions)) &&
	    json_put(object, "latency_us", relay->latency_us < 0 ? json_null() : json_integer(relay->latency_us)))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *relays_show(const struct http_status *status)
{
	json_t *list = json_array();
	for (size_t i = 0; i < status->relay_count; i++) {
		if (json_array_append_new(list, relay_show(&status->relays[i])) == 0)
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *status_show(struct request *request, const struct status_question *asked,
			   const struct store_overview *overview)
{
	json_t *body = json_object(), *counts = json_object();
	bool all_right = false;
	json_t *problems = findings_gather(request, asked, overview, &all_right);
	bool built = json_put(counts, "users", json_integer((json_int_t)overview->users)) &&
		     json_put(counts, "devices", json_integer((json_int_t)overview->devices)) &&
		     json_put(counts, "trunks", json_integer((json_int_t)overview->trunks)) &&
		     json_put(counts, "sessions", json_integer((json_int_t)overview->sessions)) &&
		     json_put(counts, "selections", json_integer((json_int_t)overview->selections)) &&
		     json_put(counts, "registrations", json_integer((json_int_t)asked->registrations)) &&
		     json_put(counts, "calls", json_integer((json_int_t)asked->calls));
	built = json_put(body, "counts", counts) && built;
	built = json_put(body, "problems", problems) && built;
	built = json_put(body, "media_relays", relays_show(&asked->status)) && built;
	built = built && json_put(body, "all_right", json_boolean(all_right)) &&
		json_put(body, "time", json_time(request_now_ms(request))) &&
		json_put(body, "version", json_string(server_settings(request->server)->version)) &&
		json_put(body, "certificate_ends_at", json_time(asked->status.certificate_ends_s * 1000)) &&
		json_put(body, "disk_free_bytes",
			 overview->disk_free_bytes < 0 ? json_null() : json_integer(overview->disk_free_bytes));
	if (built)
		return body;
	json_decref(body);
	return NULL;
}

struct answer status_get(struct request *request)
{
	struct store_overview overview;
	struct problem problem = {0};
	if (request_parameters_done(request, &problem))
		return answer_problem(request, &problem);
	struct status_question *asked = question_new(server_call_line(request->server), sizeof *asked, status_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	asked->settings = server_settings(request->server);
	asked->read = overview_get(request, &overview);
	if (asked->read)
		overview = (struct store_overview){.disk_free_bytes = -1};
	enum err err = question_ask(&asked->question);
	struct answer answer =
	    err ? answer_err(request, err) : answer_json(request, 200, status_show(request, asked, &overview));
	question_free(&asked->question);
	return answer;
}
