// What the phone in the browser is doing, as a value: what happens (Happening) makes the next one of it. Nothing here knows of SIP or of
// the page.
export type Line =
	| "off" // no browser device is held, or the page may not use a microphone at all
	| "elsewhere" // another tab is the phone
	| "connecting"
	| "ready" // registered: calls ring here
	| "lost" // the connection has gone; it is tried again
	| "refused"; // the server gives no access, or does not take the registration

export type Why =
	| "insecure"
	| "no_microphone"
	| "no_answer"
	| "busy"
	| "refused"
	| "not_allowed"
	| "not_found"
	| "missed"
	| "elsewhere" // another device of mine has answered, or declined
	| "connection"
	| "blocked" // the network lets no sound through
	| "failed"
	| null;
export type Grade = "good" | "fair" | "poor" | "none" | null; // "none": nothing comes; null: not measured yet, or nothing is to come

export type Path =
	| "open"
	| "lost" // the call is kept, and mended as soon as the network is back
	| "blocked"; // there never was one

export interface PhoneCall {
	id: string;
	incoming: boolean;
	number: string;
	name: string;
	stage: "ringing" | "calling" | "talking" | "over";
	talkingSince: number | null; // ms since 1970
	held: boolean; // by me
	heldByOther: boolean;
	muted: boolean;
	grade: Grade;
	early: boolean; // the other side says something before it answers
	transfer: "none" | "under_way" | "failed";
	path: Path; // of the sound
	why: Why; // once it is over: why it was no conversation, or was cut off
}

export interface Phone {
	line: Line;
	why: Why; // of a line that is off
	problem: unknown; // why the server gives no access
	calls: PhoneCall[]; // the one that came first is first; over ones stay until they are put away
	active: string | null; // the call that is heard
}

export const silent: Phone = { line: "off", why: null, problem: null, calls: [], active: null };

type Change = Partial<Pick<PhoneCall, "held" | "heldByOther" | "muted" | "grade" | "transfer" | "early" | "path">>;
export type Happening =
	| { kind: "line"; line: Line; why?: Why; problem?: unknown }
	| { kind: "begins"; id: string; incoming: boolean; number: string; name: string }
	| { kind: "talks"; id: string; at: number }
	| { kind: "changes"; id: string; change: Change }
	| { kind: "ends"; id: string; why: Why }
	| { kind: "put_away"; id: string };

const open = (call: PhoneCall) => call.stage !== "over";

// The one that is heard: it stays while it is open; then one that talks and is not held, then any that talks, then one that is dialled.
function activeOf(calls: PhoneCall[], before: string | null): string | null {
	const still = calls.find((call) => call.id === before && open(call) && call.stage !== "ringing");
	const choice =
		still ??
		calls.find((call) => call.stage === "talking" && !call.held) ??
		calls.find((call) => call.stage === "talking") ??
		calls.find((call) => call.stage === "calling");
	return choice?.id ?? null;
}

function changed(phone: Phone, id: string, change: (call: PhoneCall) => PhoneCall): Phone {
	const calls = phone.calls.map((call) => (call.id === id ? change(call) : call));
	return { ...phone, calls, active: activeOf(calls, phone.active) };
}

export function next(phone: Phone, happening: Happening): Phone {
	switch (happening.kind) {
		case "line":
			return { ...phone, line: happening.line, why: happening.why ?? null, problem: happening.problem ?? null };
		case "begins": {
			if (phone.calls.some((call) => call.id === happening.id)) return phone;
			const call: PhoneCall = {
				id: happening.id,
				incoming: happening.incoming,
				number: happening.number,
				name: happening.name,
				stage: happening.incoming ? "ringing" : "calling",
				talkingSince: null,
				held: false,
				heldByOther: false,
				muted: false,
				grade: null,
				early: false,
				transfer: "none",
				path: "open",
				why: null,
			};
			const calls = [...phone.calls, call];
			return { ...phone, calls, active: happening.incoming ? activeOf(calls, phone.active) : call.id };
		}
		case "talks": {
			if (!phone.calls.some((call) => call.id === happening.id && open(call))) return phone;
			const talking = changed(phone, happening.id, (call) => ({ ...call, stage: "talking", talkingSince: call.talkingSince ?? happening.at }));
			return { ...talking, active: happening.id };
		}
		case "changes":
			return changed(phone, happening.id, (call) => (open(call) ? { ...call, ...happening.change } : call));
		case "ends":
			return changed(phone, happening.id, (call) => (open(call) ? { ...call, stage: "over", why: call.stage === "talking" && happening.why !== "connection" && happening.why !== "blocked" ? null : happening.why } : call));
		case "put_away": {
			const calls = phone.calls.filter((call) => call.id !== happening.id || open(call));
			return { ...phone, calls, active: activeOf(calls, phone.active) };
		}
	}
}

export const ringing = (phone: Phone): PhoneCall | undefined => phone.calls.find((call) => call.stage === "ringing");
export const inCall = (phone: Phone): boolean => phone.calls.some(open);

// How well the other one is heard: loss in percent, jitter and round trip in ms (ITU-T G.114 calls 150 ms one way good, 400 the limit).
export function gradeOf(lossPercent: number, jitterMs: number, roundTripMs: number): "good" | "fair" | "poor" {
	if (lossPercent > 5 || jitterMs > 60 || roundTripMs > 600) return "poor";
	if (lossPercent > 1 || jitterMs > 30 || roundTripMs > 300) return "fair";
	return "good";
}

export interface Counts {
	received: number;
	lost: number; // packets, since the call began
}

// Loss in percent since the counts were taken last; null when nothing was to come meanwhile.
export function lossSince(before: Counts, now: Counts): number | null {
	const received = now.received - before.received;
	const lost = Math.max(0, now.lost - before.lost); // a packet that comes late makes it less
	return received + lost > 0 ? (100 * lost) / (received + lost) : null;
}
