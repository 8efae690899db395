// What a call's picture shows, without drawing it.
import { describe, expect, it } from "vitest";
import { axisEnd, axisMarks, rowsOfCall, rowsOfRecord, whyNoRows, type CallRecord } from "../../src/parts/timeline";
import type { Call } from "../../src/api/events";

const at = (s: number) => new Date(Date.UTC(2026, 2, 2, 9, 15, 0) + s * 1000).toISOString();
const leg = (more: object) => ({
	device_id: "1",
	number: "330",
	title: "Desk",
	kind: "sip_phone",
	planned_start_ms: 0,
	planned_stop_ms: 20_000,
	started_at: at(0),
	ringing_at: at(0.2),
	answered_at: null,
	ended_at: null,
	outcome: "timed_out",
	sip_status: 0,
	reason: "",
	...more,
});
const record = (legs: object[], more: object = {}) =>
	({ id: "r", started_at: at(0), answered_at: at(4), ended_at: at(66), outcome: "answered", legs, ...more }) as unknown as CallRecord;

describe("a record's picture", () => {
	it("ends the winner's bar with the answer and the losers' with it", () => {
		const rows = rowsOfRecord(
			record([leg({ answered_at: at(4), ended_at: at(66), outcome: "answered" }), leg({ number: "821", ended_at: at(36), outcome: "answered_elsewhere" })]),
		);
		expect(rows.map((row) => row.called)).toEqual([
			{ from: 0, to: 4000 },
			{ from: 0, to: 4000 },
		]);
		expect(rows.map((row) => row.talked)).toEqual([62_000, null]);
	});
	it("tells a device that rang from one that was only asked to", () => {
		const rows = rowsOfRecord(record([leg({}), leg({ ringing_at: null })], { answered_at: null, ended_at: at(20) }));
		expect(rows.map((row) => row.rang)).toEqual([true, false]);
	});
	it("has no bar for a device that never was called", () => {
		const [row] = rowsOfRecord(record([leg({ started_at: null, ringing_at: null, outcome: "not_rung", reason: "Answered on another device." })]));
		expect(row?.called).toBeNull();
		expect(row?.planned).toEqual({ from: 0, to: 20_000 });
	});
});

describe("a running call's picture", () => {
	const call = (turns: object[], legs: object[], more: object = {}) =>
		({ started_at: at(0), ring_started_at: at(1), answered_at: null, turns, legs, ...more }) as unknown as Call;
	const turn = { device_id: "1", number: "330", title: "Desk", kind: "sip_phone", planned_start_ms: 0, planned_stop_ms: 20_000, start_ms: 0, stop_ms: 20_000, state: "ringing", outcome: null, reason: null };
	it("grows with the time, and is one bar for all places of a device", () => {
		const legs = [leg({ started_at: at(1), outcome: null }), leg({ started_at: at(2), ended_at: at(3), outcome: "busy" })];
		const [row] = rowsOfCall(call([turn], legs), Date.parse(at(6)));
		expect(row?.called).toEqual({ from: 0, to: 5000 });
		expect(row?.going).toBe(true);
	});
	it("shows what still waits", () => {
		const [row] = rowsOfCall(call([{ ...turn, state: "waiting", planned_start_ms: 10_000, planned_stop_ms: 30_000 }], []), Date.parse(at(2)));
		expect(row).toMatchObject({ called: null, going: false, outcome: null, planned: { from: 10_000, to: 30_000 } });
	});
});

describe("the axis", () => {
	it("does not let a long plan squeeze a short call", () => {
		const rows = rowsOfRecord(record([leg({ answered_at: at(4), outcome: "answered", planned_stop_ms: 600_000 })]));
		expect(axisEnd(rows)).toBe(16_000);
	});
	it("has few marks at round seconds", () => {
		for (const end of [1000, 4000, 17_500, 60_000, 600_000]) {
			const marks = axisMarks(end);
			expect(marks.length).toBeGreaterThan(2);
			expect(marks.length).toBeLessThanOrEqual(8);
		}
	});
});

describe("a call without a picture", () => {
	const call = (more: object) => ({ state: "ringing", callee_user_id: "7", turns: [], ...more }) as unknown as Call;
	const signedIn = (role: string, id = "5") => ({ role, user: { id } }) as Parameters<typeof whyNoRows>[1];
	it("says to who is called, and to who sees everything, that nothing rings", () => {
		expect(whyNoRows(call({}), signedIn("agent", "7"))).toBe("noTurns");
		expect(whyNoRows(call({}), signedIn("admin"))).toBe("noTurns");
		expect(whyNoRows(call({}), signedIn("auditor"))).toBe("noTurns");
	});
	it("says to who calls that the devices are another's, while they ring", () => {
		expect(whyNoRows(call({}), signedIn("agent"))).toBe("turnsOfOthers");
		expect(whyNoRows(call({ state: "talking" }), signedIn("agent"))).toBeNull();
		expect(whyNoRows(call({ callee_user_id: null }), signedIn("agent"))).toBeNull(); // an outside number
	});
});
