// From HTTP to SIP over WebSocket. Without TLS the SIP side gets the socket itself, and libmicrohttpd forgets it. Under TLS
// libmicrohttpd keeps the socket and carries what is said through a socket pair, until the SIP side has closed its end.
#include "http/handover.h"
#include "http/answer.h"
#include "http/router.h"
#include "http/server.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEAD_MAX = 4096,
	ANSWER_MAX = 1024,
	TAKEN_MS = 30000, // as for other connections of SIP (loop_uv_tcp.c): the kernel would wait for hours
};

bool handover_concerns(struct str uri)
{
	return str_equal(str_first(uri, str_index(uri, '?')), STR("/sip"));
}

// ---- the request

static enum MHD_Result head_line(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct writer *w = context;
	(void)kind;
	writer_format(w, "%s: %s\r\n", name, value ? value : "");
	return w->overflow ? MHD_NO : MHD_YES;
}

struct str handover_head(struct arena *arena, struct MHD_Connection *connection, const char *method, struct str uri,
			 const char *version)
{
	char *text = arena_alloc(arena, HEAD_MAX);
	if (!text)
		return STR_NONE;
	struct writer w = writer_into(text, HEAD_MAX);
	writer_format(&w, "%s %.*s %s\r\n", method, STR_ARG(uri), version);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, head_line, &w);
	writer_text(&w, "\r\n");
	return w.overflow ? STR_NONE : writer_result(&w);
}

struct greeting_question {
	struct question question;
	const struct http_handover *handover;
	void *context;
	struct str head; // of the question's arena, since the asker may give up
	struct net_address from;
	struct writer answer;
};

static void greeting_answer(struct question *question)
{
	struct greeting_question *asked = container_of(question, struct greeting_question, question);
	asked->handover->greet(asked->context, &asked->from, asked->head, &asked->answer);
}

struct answer sip_get(struct request *request)
{
	const struct http_settings *settings = server_settings(request->server);
	if (!settings->handover.greet)
		return answer_err(request, ERR_NOT_FOUND);
	if (str_empty(request->head))
		return answer_err(request, ERR_MALFORMED);
	struct greeting_question *asked =
	    question_new(server_call_line(request->server), sizeof *asked, greeting_answer);
	if (!asked)
		return answer_err(request, ERR_NO_MEMORY);
	char *text = arena_alloc(&asked->question.arena, ANSWER_MAX);
	asked->handover = &settings->handover;
	asked->context = settings->context;
	asked->head = arena_copy(&asked->question.arena, request->head);
	asked->from = request->from;
	enum err err = text && asked->head.at ? ERR_NONE : ERR_NO_MEMORY;
	if (!err) {
		asked->answer = writer_into(text, ANSWER_MAX);
		err = question_ask(&asked->question);
	}
	struct answer answer = err ? answer_err(request, err) : answer_verbatim(request, writer_result(&asked->answer));
	question_free(&asked->question);
	return answer;
}

// ---- the answer

// What the library writes itself.
static bool is_the_librarys(struct str name, bool upgraded)
{
	return str_equal_nocase(name, STR("Content-Length")) || (upgraded && str_equal_nocase(name, STR("Connection")));
}

static bool header_add(struct MHD_Response *response, struct str line, bool upgraded)
{
	char name[64], value[256];
	size_t colon = str_index(line, ':');
	if (is_the_librarys(str_first(line, colon), upgraded))
		return true;
	return str_to_cstring(str_first(line, colon), name, sizeof name) &&
	       str_to_cstring(str_trim(str_from(line, colon + 1)), value, sizeof value) &&
	       MHD_add_response_header(response, name, value) == MHD_YES;
}

struct MHD_Response *handover_response(struct str answer, MHD_UpgradeHandler handler, void *context)
{
	const char *end = memmem(answer.at, answer.length, "\r\n\r\n", 4);
	size_t head = end ? (size_t)(end - answer.at) + 2 : answer.length;
	struct str lines = str_first(answer, head), body = str_from(answer, head + 2), line;
	bool upgraded = str_starts(answer, STR("HTTP/1.1 101 "));
	struct MHD_Response *response =
	    upgraded ? MHD_create_response_for_upgrade(handler, context)
		     : MHD_create_response_from_buffer(body.length, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return NULL;
	(void)str_take(&lines, '\n', &line); // the status, which the library is told elsewhere
	while (str_take(&lines, '\n', &line) && !str_empty(line)) {
		if (header_add(response, str_trim(line), upgraded))
			continue;
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

// ---- the socket

// One that libmicrohttpd still carries for the SIP side.
struct carried {
	struct list node;
	struct http_server *server;
	struct MHD_UpgradeResponseHandle *handle; // NULL: it was taken back
};

// Of `carried`: the SIP side may close its end after the server is gone.
static pthread_mutex_t carried_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list all_carried = {&all_carried, &all_carried};

static void carried_take_back(struct carried *carried)
{
	if (carried->handle)
		MHD_upgrade_action(carried->handle, MHD_UPGRADE_ACTION_CLOSE);
	carried->handle = NULL;
}

// On the call thread.
static void carried_closed(void *context)
{
	struct carried *carried = context;
	pthread_mutex_lock(&carried_lock);
	carried_take_back(carried);
	list_remove(&carried->node);
	pthread_mutex_unlock(&carried_lock);
	free(carried);
}

void handover_end(struct http_server *server)
{
	pthread_mutex_lock(&carried_lock);
	list_each (node, following, &all_carried) {
		struct carried *carried = container_of(node, struct carried, node);
		if (carried->server == server)
			carried_take_back(carried);
	}
	pthread_mutex_unlock(&carried_lock);
}

struct given {
	struct queue_item item;
	struct http_handover handover;
	void *context;
	struct tcp_foreign socket;
	bool secured;
	size_t early_size;
	char early[];
};

static void given_run(struct queue_item *item)
{
	struct given *given = container_of(item, struct given, item);
	given->handover.adopt(given->context, &given->socket, given->secured,
			      (struct str){given->early, given->early_size});
	free(given);
}

static bool addresses_read(int socket, struct tcp_foreign *foreign)
{
	struct sockaddr_storage local, remote;
	socklen_t local_size = sizeof local, remote_size = sizeof remote;
	return getsockname(socket, (struct sockaddr *)&local, &local_size) == 0 &&
	       getpeername(socket, (struct sockaddr *)&remote, &remote_size) == 0 &&
	       net_address_from_sockaddr((struct sockaddr *)&local, &foreign->local) &&
	       net_address_from_sockaddr((struct sockaddr *)&remote, &foreign->remote);
}

static bool carried_begin(struct http_server *server, struct MHD_UpgradeResponseHandle *handle,
			  struct tcp_foreign *foreign)
{
	struct carried *carried = calloc(1, sizeof *carried);
	if (!carried)
		return false;
	*carried = (struct carried){.server = server, .handle = handle};
	pthread_mutex_lock(&carried_lock);
	list_append(&all_carried, &carried->node);
	pthread_mutex_unlock(&carried_lock);
	foreign->closed = carried_closed;
	foreign->context = carried;
	return true;
}

void handover_give(struct http_server *server, struct MHD_Connection *connection, MHD_socket socket,
		   struct MHD_UpgradeResponseHandle *handle, struct str early)
{
	const struct http_settings *settings = server_settings(server);
	const union MHD_ConnectionInfo *wire = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct given *given = malloc(sizeof *given + early.length);
	bool secured = wire && wire->connect_fd != socket;
	struct tcp_foreign foreign = {.socket = -1};

	if (given && wire && addresses_read(wire->connect_fd, &foreign))
		foreign.socket = fcntl(socket, F_DUPFD_CLOEXEC, 0);
	if (foreign.socket < 0 || (secured && !carried_begin(server, handle, &foreign))) {
		log_warning("http_socket_not_given", LOG_TEXT("why", strerror(errno)));
		if (foreign.socket >= 0)
			close(foreign.socket);
		free(given);
		MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
		return;
	}
	*given = (struct given){.item.run = given_run,
				.handover = settings->handover,
				.context = settings->context,
				.socket = foreign,
				.secured = secured,
				.early_size = early.length};
	if (early.length)
		memcpy(given->early, early.at, early.length);
	queue_post(settings->call_thread, &given->item);
	if (!secured) {
		MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
		return;
	}
	const unsigned taken_ms = TAKEN_MS;
	setsockopt(wire->connect_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &taken_ms, sizeof taken_ms);
}
