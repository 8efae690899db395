// The refusals of err.def, looked up.
#include "domain/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct refusal_row {
	const char *name;
	unsigned http_status, sip_status;
	const char *sentence;
} rows[ERR_COUNT] = {
    [ERR_NONE] = {"none", 200, 200, "All is well."},
#define ERR(name, text, http, sip, sentence) [ERR_##name] = {text, http, sip, sentence},
#include "domain/err.def"
#undef ERR
};

static const struct refusal_row *row_of(enum err err)
{
	assert((unsigned)err < ERR_COUNT);
	return &rows[err];
}

const char *err_name(enum err err)
{
	return row_of(err)->name;
}

const char *err_sentence(enum err err)
{
	return row_of(err)->sentence;
}

unsigned err_http_status(enum err err)
{
	return row_of(err)->http_status;
}

unsigned err_sip_status(enum err err)
{
	return row_of(err)->sip_status;
}

enum err problem_set(struct problem *problem, enum err err, const char *field, const char *format, ...)
{
	assert(err != ERR_NONE);
	if (!problem)
		return err;
	if (problem->err != ERR_NONE)
		return problem->err;
	problem->err = err;
	snprintf(problem->field, sizeof problem->field, "%s", field ? field : "");
	if (format) {
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(problem->sentence, sizeof problem->sentence, format, arguments);
		va_end(arguments);
	} else {
		snprintf(problem->sentence, sizeof problem->sentence, "%s", err_sentence(err));
	}
	return err;
}
