// The phone in the browser as a value: what happens makes the next one of it.
import { describe, expect, it } from "vitest";
import type { Call } from "../../src/api/events";
import { callOf } from "../../src/phone/callOf";
import { gradeOf, inCall, lossSince, next, ringing, silent, type Happening, type Phone, type PhoneCall } from "../../src/phone/state";

const after = (...happenings: Happening[]): Phone => happenings.reduce(next, silent);
const comes = (id: string): Happening => ({ kind: "begins", id, incoming: true, number: "512", name: "Bob" });
const dialled = (id: string): Happening => ({ kind: "begins", id, incoming: false, number: "510", name: "" });
const talks = (id: string, at = 1000): Happening => ({ kind: "talks", id, at });
const ends = (id: string): Happening => ({ kind: "ends", id, why: "busy" });
const held = (id: string, on: boolean): Happening => ({ kind: "changes", id, change: { held: on } });

describe("a call", () => {
	it("rings, and is not heard before it is answered", () => {
		const phone = after(comes("a"));
		expect(ringing(phone)).toMatchObject({ id: "a", name: "Bob", number: "512" });
		expect(phone.active).toBeNull();
		expect(after(comes("a"), talks("a")).active).toBe("a");
	});
	it("that is told of twice is one call", () => expect(after(comes("a"), comes("a")).calls).toHaveLength(1));
	it("keeps the moment it was answered at", () => {
		expect(after(dialled("a"), talks("a", 1000), talks("a", 9000)).calls[0]?.talkingSince).toBe(1000);
	});
	it("says why it came to nothing, but not why a conversation ended", () => {
		expect(after(dialled("a"), ends("a")).calls[0]).toMatchObject({ stage: "over", why: "busy" });
		expect(after(dialled("a"), talks("a"), ends("a")).calls[0]).toMatchObject({ stage: "over", why: null });
	});
	it("that is over neither talks again nor is heard", () => {
		const phone = after(dialled("a"), ends("a"), talks("a"));
		expect(phone.calls[0]?.stage).toBe("over");
		expect(phone.active).toBeNull();
	});
	it("that is over takes no change, and stays until it is put away", () => {
		const over = after(dialled("a"), ends("a"), held("a", true));
		expect(over.calls[0]?.held).toBe(false);
		expect(inCall(over)).toBe(false);
		expect(next(over, { kind: "put_away", id: "a" }).calls).toHaveLength(0);
	});
	it("that is open cannot be put away", () => {
		expect(after(comes("a"), { kind: "put_away", id: "a" }).calls).toHaveLength(1);
	});
});

describe("of two calls", () => {
	it("the one that was answered last is heard", () => {
		expect(after(dialled("a"), talks("a"), comes("b"), held("a", true), talks("b")).active).toBe("b");
	});
	it("the other one is heard once the first has ended", () => {
		expect(after(dialled("a"), talks("a"), comes("b"), talks("b"), ends("b")).active).toBe("a");
	});
	it("one that rings takes nothing from the one that is heard", () => {
		expect(after(dialled("a"), talks("a"), comes("b")).active).toBe("a");
	});
});

describe("what is lost", () => {
	it("counts from when it was measured last", () => {
		expect(lossSince({ received: 900, lost: 100 }, { received: 1000, lost: 100 })).toBe(0);
		expect(lossSince({ received: 900, lost: 0 }, { received: 975, lost: 25 })).toBe(25);
	});
	it("is less when a packet comes late", () => expect(lossSince({ received: 10, lost: 3 }, { received: 20, lost: 2 })).toBe(0));
	it("is not known when nothing came", () => expect(lossSince({ received: 10, lost: 3 }, { received: 10, lost: 3 })).toBeNull());
});

describe("the server's call that is this one", () => {
	const mine = (more: Partial<PhoneCall>) => ({ incoming: true, number: "512", talkingSince: Date.parse("2026-01-01T10:00:05Z"), ...more }) as PhoneCall;
	const leg = (device_id: string, answered_at: string, state = "talking") => ({ device_id, answered_at, state });
	const theirs = (id: string, more: object) => ({ id, state: "talking", caller_device_id: null, caller_number: "512", dialled: "510", called: "510", answered_at: null, legs: [], ...more }) as unknown as Call;
	it("has the device on the same side", () => {
		const calls = [theirs("out", { caller_device_id: "7" }), theirs("in", { legs: [leg("7", "2026-01-01T10:00:05Z")] })];
		expect(callOf(calls, "7", mine({}))?.id).toBe("in");
		expect(callOf(calls, "7", mine({ incoming: false, number: "510" }))?.id).toBe("out");
		expect(callOf(calls, "8", mine({}))).toBeUndefined();
	});
	it("is, of two from the same number, the one that was answered then", () => {
		const calls = [theirs("before", { legs: [leg("7", "2026-01-01T09:40:00Z")] }), theirs("now", { legs: [leg("7", "2026-01-01T10:00:04Z")] })];
		expect(callOf(calls, "7", mine({}))?.id).toBe("now");
	});
	it("is not one that rings or is over", () => {
		expect(callOf([theirs("rings", { state: "ringing", legs: [leg("7", "", "ringing")] })], "7", mine({}))).toBeUndefined();
	});
});

it("a line that is lost keeps its calls", () => {
	const phone = after({ kind: "line", line: "ready" }, dialled("a"), talks("a"), { kind: "line", line: "lost" });
	expect(phone.line).toBe("lost");
	expect(phone.active).toBe("a");
});

it("the quality is that of the worst of loss, jitter and delay", () => {
	expect(gradeOf(0, 5, 40)).toBe("good");
	expect(gradeOf(2, 5, 40)).toBe("fair");
	expect(gradeOf(0, 45, 40)).toBe("fair");
	expect(gradeOf(0, 5, 700)).toBe("poor");
	expect(gradeOf(6, 5, 40)).toBe("poor");
});
