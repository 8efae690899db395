// A call's ringing as bars on one axis: what the ring plan had in mind, and what came of it. Times in ms since the call's
// arrival (or since it was forwarded). No drawing here.
import type { Schemas } from "../api/client";
import type { Call } from "../api/events";
import { milliseconds } from "./time";

export type Outcome = Schemas["Outcome"];
export type CallRecord = Schemas["CallRecord"];

export interface Span {
	from: number;
	to: number;
}
export interface TimelineRow {
	key: string;
	number: string;
	title: string;
	kind: Schemas["DeviceKind"] | null;
	planned: Span | null;
	called: Span | null; // from the INVITE to the end of ringing
	rang: boolean; // it said so; otherwise it was only asked to
	going: boolean; // rings still
	prompting: boolean; // somebody has answered and hears who calls
	talked: number | null; // ms, up to now
	outcome: Outcome | null;
	reason: string;
}

const span = (from: number, to: number): Span => ({ from, to: Math.max(from, to) });

interface LegTimes {
	started_at: string | null;
	answered_at: string | null;
	ended_at: string | null;
	outcome: Outcome | null;
}

// A leg that lost has ended for people when somebody else answered, whenever its last message came.
function legSpan(base: number, leg: LegTimes, settled: number | null, now: number): Span | null {
	const started = milliseconds(leg.started_at);
	if (started === null) return null;
	const end = milliseconds(leg.answered_at) ?? milliseconds(leg.ended_at) ?? now;
	return span(started - base, (leg.outcome !== "answered" && settled !== null ? Math.min(end, settled) : end) - base);
}

export function rowsOfRecord(record: CallRecord): TimelineRow[] {
	const base = milliseconds(record.started_at) ?? 0;
	const over = milliseconds(record.ended_at) ?? base;
	const settled = milliseconds(record.answered_at) ?? over;
	return record.legs.map((leg, at) => {
		const answered = milliseconds(leg.answered_at);
		return {
			key: String(at),
			number: leg.number,
			title: leg.title,
			kind: leg.kind,
			planned: leg.planned_stop_ms > leg.planned_start_ms ? span(leg.planned_start_ms, leg.planned_stop_ms) : null,
			called: legSpan(base, leg, settled, over),
			rang: leg.ringing_at !== null || answered !== null,
			going: false,
			prompting: false,
			talked: answered === null || leg.outcome !== "answered" ? null : (milliseconds(leg.ended_at) ?? over) - answered,
			outcome: leg.outcome,
			reason: leg.reason,
		};
	});
}

// A turn has a leg for each place where its device is registered: they are one bar.
export function rowsOfCall(call: Call, now: number): TimelineRow[] {
	const base = milliseconds(call.ring_started_at) ?? milliseconds(call.started_at) ?? now;
	const settled = milliseconds(call.answered_at);
	return call.turns.map((turn, at) => {
		const legs = call.legs.filter((leg) => leg.number === turn.number && leg.device_id === turn.device_id);
		const answered = legs.find((leg) => leg.answered_at !== null && (leg.outcome ?? "answered") === "answered" && leg.state !== "prompting" && leg.state !== "dismissed");
		const spans = legs.map((leg) => legSpan(base, leg, leg.answered_at === null ? settled : null, now)).filter((each) => each !== null);
		const last = answered ?? legs.at(-1);
		const went = milliseconds(answered?.answered_at);
		return {
			key: String(at),
			number: turn.number,
			title: turn.title,
			kind: turn.kind,
			planned: span(turn.planned_start_ms, turn.planned_stop_ms),
			called: spans.length ? span(Math.min(...spans.map((each) => each.from)), Math.max(...spans.map((each) => each.to))) : null,
			rang: legs.some((leg) => leg.ringing_at !== null || leg.answered_at !== null),
			going: turn.state === "ringing" && !answered,
			prompting: legs.some((leg) => leg.state === "prompting"),
			talked: went === null ? null : (milliseconds(answered?.ended_at) ?? now) - went,
			outcome: last?.outcome ?? turn.outcome ?? (answered ? "answered" : settled !== null && legs.length ? "answered_elsewhere" : null),
			reason: last?.reason || turn.reason || "",
		};
	});
}

// Why a call has no bars: none ring, or they are somebody else's, whom an agent calls. Null: there is nothing to say.
export function whyNoRows(call: Call, { role, user }: Schemas["Session"]): "noTurns" | "turnsOfOthers" | null {
	if (role !== "agent" || call.callee_user_id === user.id) return "noTurns";
	return call.state === "ringing" && call.callee_user_id !== null ? "turnsOfOthers" : null;
}

// Where the axis ends: with the last bar, but what was planned after the call had been answered shows only a little.
export function axisEnd(rows: TimelineRow[]): number {
	const rang = Math.max(0, ...rows.map((row) => row.called?.to ?? 0));
	const planned = Math.max(0, ...rows.map((row) => row.planned?.to ?? 0));
	return Math.max(1000, rang, Math.min(planned, Math.max(rang * 4, 10_000)));
}

// Four to seven marks at round seconds.
export function axisMarks(end: number): number[] {
	const steps = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000];
	const step = steps.find((each) => end / each <= 6) ?? 600_000;
	return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}
