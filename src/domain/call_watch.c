// Calls reported to those who watch: each that has changed since the last batch, once, as it is when the batch goes out.
#include "domain/call.h"
#include "domain/watch.h"

void call_changed(struct call *call)
{
	struct call_table *table = call->table;

	lamp_call_changed(call);
	if (!watch_wanted(table->ports.watch) || !list_empty(&call->changed))
		return;
	list_append(&table->changed, &call->changed);
	watch_soon(table->ports.watch);
}

static void call_report(struct call *call, bool over)
{
	struct arena *arena;
	struct report *report = watch_report(call->table->ports.watch, REPORT_CALL, &arena);

	if (!report)
		return;
	// Half a call would mislead: what has no room is left to be looked up.
	if (!call_snapshot_make(call, arena, &report->call))
		report->call = (struct call_snapshot){.call = call->id};
	report->call.over = over;
}

void call_report_over(struct call *call)
{
	list_remove(&call->changed);
	if (!watch_wanted(call->table->ports.watch))
		return;
	call_report(call, true);
	watch_soon(call->table->ports.watch);
}

bool calls_report_changed(void *context, size_t max)
{
	struct call_table *table = context;

	for (size_t i = 0; i < max && !list_empty(&table->changed); i++) {
		struct call *call = container_of(table->changed.next, struct call, changed);
		list_remove(&call->changed);
		call_report(call, false);
	}
	return !list_empty(&table->changed);
}
