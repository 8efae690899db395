// The phone itself: JsSIP registers over the server's WebSocket with credentials that live for a while, and what becomes of each call
// is told as it happens (state.ts).
import type { UA } from "jssip";
import type { RTCSessionEvent } from "jssip/lib/UA";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession";
import { Problem, request, type Schemas } from "../api/client";
import { choicesRead, microphoneOf } from "./choices";
import { KeptSocket } from "./socket";
import { sinkSet } from "./sound";
import { gradeOf, lossSince, type Counts, type Happening, type Path, type Why } from "./state";

type PhonePassword = Schemas["PhonePassword"];

const RENEW_BEFORE_MS = 2 * 60_000;
const AGAIN_MS = 5000;
const REFUSALS_MAX = 3; // of new credentials in a row; then somebody has to look
const REGISTER_S = 120;
const GATHERING_MS = 300; // after the first way to us was found
const MEASURE_MS = 2000;
const BROKEN_MS = 1000; // how long media may be interrupted before a new way is looked for
const SETTLING_MS = 4000; // that a new way is given, before the next one is looked for
const FOUND_MS = 6000; // that a way may take to be found at first
const KEPT_MS = 90_000; // how long a call is kept that has lost its way
const BLOCKED_MS = 20_000; // and one that never had any
const OFFERS_MAX = 4; // a new description that is refused is offered again so often
const OFFER_AGAIN_MS = 1200;

interface Line {
	session: RTCSession;
	audio: HTMLAudioElement;
	remote: MediaStream | null;
	counts: Counts;
	offers: number;
	mended_at: number;
	path: Path;
	found: boolean; // a way for the sound, once at least
	gave_up: Why; // to look for one
	measuring: ReturnType<typeof setInterval> | undefined;
	mending: ReturnType<typeof setTimeout> | undefined;
	giving_up: ReturnType<typeof setTimeout> | undefined;
}

const whys: Record<string, Why> = {
	Busy: "busy",
	Rejected: "refused",
	"Not Found": "not_found",
	"Address Incomplete": "not_found",
	Unavailable: "no_answer",
	"No Answer": "no_answer",
	Expires: "no_answer",
	"Request Timeout": "connection",
	"Connection Error": "connection",
	"RTP Timeout": "connection",
	"User Denied Media Access": "no_microphone",
};

// Why a call came to nothing, from my side of it.
function whyOf({ cause, originator, message }: EndEvent, incoming: boolean): Why {
	const said: unknown = message;
	const header = (name: string) => (said as { getHeader?(name: string): string | undefined } | null)?.getHeader?.(name) ?? "";
	if (cause === "Canceled") return originator === "local" ? null : /cause=(200|600)\b/.test(header("Reason")) ? "elsewhere" : "missed";
	if (incoming && originator === "local") return cause === "User Denied Media Access" ? "no_microphone" : null;
	const status = (said as { status_code?: number } | null)?.status_code;
	if (status === 403) return "not_allowed";
	return whys[cause] ?? "failed";
}

export class Driver {
	private ua: UA | null = null;
	private socket: KeptSocket | null = null;
	private lines = new Map<string, Line>();
	private renewing: ReturnType<typeof setTimeout> | undefined;
	private refusals = 0;
	private leaving = false; // no calls come any more; the ones that are up go on
	private was_lost = false;

	// `gone` is called once it was told to leave and has no call any more.
	constructor(
		private readonly tell: (happening: Happening) => void,
		private readonly gone: (driver: Driver) => void,
	) {
		window.addEventListener("online", this.look);
	}

	async start(): Promise<void> {
		this.tell({ kind: "line", line: "connecting" });
		try {
			const [{ default: JsSIP }, credentials] = await Promise.all([import("jssip"), this.credentials()]);
			if (!this.leaving) this.connect(new JsSIP.UA(this.configuration(credentials)));
		} catch (problem) {
			this.refused(problem, () => void this.start());
		}
	}

	// No server, or none that could say: it is tried again. A refusal is shown; that there is no phone to have is none: it is just off.
	private refused(problem: unknown, again: () => void): void {
		if (this.leaving) return;
		const passing = problem instanceof Problem && (problem.status === 0 || problem.status === 429 || problem.status >= 500);
		const none = problem instanceof Problem && (problem.status === 404 || problem.status === 409);
		this.tell(passing ? { kind: "line", line: "lost" } : none ? { kind: "line", line: "off" } : { kind: "line", line: "refused", problem });
		if (passing) this.renewing = setTimeout(again, AGAIN_MS);
	}

	private configuration({ number, password, path }: PhonePassword) {
		this.socket = new KeptSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
		return {
			sockets: [this.socket],
			uri: `sip:${number}@${location.hostname}`,
			authorization_user: number,
			password,
			register_expires: REGISTER_S,
			connection_recovery_min_interval: 1,
			connection_recovery_max_interval: 8,
			session_timers: true,
		};
	}

	private connect(ua: UA): void {
		this.ua = ua;
		ua.on("registered", () => {
			this.refusals = 0;
			if (!this.leaving) this.tell({ kind: "line", line: "ready" });
			if (this.was_lost) for (const id of this.lines.keys()) this.mend(id); // the server learns where we are now
			this.was_lost = false;
		});
		ua.on("registrationFailed", ({ response }) => {
			if (this.leaving) return;
			const status = response?.status_code;
			if ((status === 401 || status === 403) && this.refusals++ < REFUSALS_MAX) void this.renew(); // they may have ended while the machine slept
			else if (status) this.tell({ kind: "line", line: "refused" });
			else this.tell({ kind: "line", line: "lost" });
		});
		ua.on("disconnected", () => {
			this.was_lost = true;
			if (!this.leaving) this.tell({ kind: "line", line: "lost" });
		});
		ua.on("newRTCSession", ({ session, originator }: RTCSessionEvent) => {
			if (originator !== "remote") return;
			if (this.leaving) session.terminate({ status_code: 480 });
			else this.follow(session, true);
		});
		ua.start();
	}

	private look = () => this.socket?.ask();

	// Takes no calls any more, and ends when those that are up have ended.
	leave(): void {
		if (this.leaving) return;
		this.leaving = true;
		clearTimeout(this.renewing);
		if (this.lines.size > 0) this.ua?.unregister();
		this.close();
	}

	// Ends its calls as well: the page goes away.
	end(): void {
		this.leave();
		for (const id of [...this.lines.keys()]) {
			this.hangUp(id);
			this.over(id, null);
		}
	}

	private close(): void {
		if (!this.leaving || this.lines.size > 0) return;
		window.removeEventListener("online", this.look);
		this.ua?.stop();
		this.gone(this);
	}

	has(id: string): boolean {
		return this.lines.has(id);
	}

	// ---- credentials

	private async credentials(): Promise<PhonePassword> {
		const { data } = await request<PhonePassword>("POST", "/me/phone", { body: {} });
		clearTimeout(this.renewing);
		if (!this.leaving)
			this.renewing = setTimeout(() => void this.renew(), Math.max(AGAIN_MS, Date.parse(data.expires_at) - Date.now() - RENEW_BEFORE_MS));
		return data;
	}

	async renew(): Promise<void> {
		try {
			const { password } = await this.credentials();
			if (this.leaving) return;
			this.ua?.set("password", password); // goes before what JsSIP has kept of the old one
			this.ua?.register();
		} catch (problem) {
			if (this.ua?.isRegistered()) this.renewing = setTimeout(() => void this.renew(), AGAIN_MS);
			else this.refused(problem, () => void this.renew());
		}
	}

	// After a refusal.
	again(): void {
		this.refusals = 0;
		this.tell({ kind: "line", line: "connecting" });
		void (this.ua ? this.renew() : this.start());
	}

	// ---- what the person does

	private media() {
		return {
			mediaConstraints: { audio: microphoneOf(choicesRead()), video: false },
			pcConfig: { iceServers: [] },
		};
	}

	dial(number: string): void {
		if (!this.ua) return;
		this.holdOthers(null);
		this.follow(this.ua.call(`sip:${encodeURIComponent(number)}@${location.hostname}`, this.media()), false, number);
	}

	answer(id: string): void {
		const session = this.lines.get(id)?.session;
		if (!session || session.isEstablished() || session.isInProgress() === false) return;
		this.holdOthers(id);
		session.answer(this.media());
	}

	// Declines one that rings (486: this device; the server knows that it rang), ends any other.
	hangUp(id: string): void {
		const session = this.lines.get(id)?.session;
		if (!session || session.isEnded()) return;
		try {
			if (session.direction === "incoming" && !session.isEstablished()) session.terminate({ status_code: 486 });
			else session.terminate();
		} catch {
			// it is ending by itself
		}
	}

	hold(id: string, on: boolean): void {
		const session = this.lines.get(id)?.session;
		if (!session?.isEstablished() || session.isOnHold().local === on) return;
		if (on) session.hold();
		else {
			this.holdOthers(id);
			session.unhold();
		}
	}

	private holdOthers(id: string | null): void {
		for (const other of this.lines.keys()) if (other !== id) this.hold(other, true);
	}

	mute(id: string, on: boolean): void {
		const session = this.lines.get(id)?.session;
		if (on) session?.mute({ audio: true });
		else session?.unmute({ audio: true });
	}

	press(id: string, key: string): void {
		const line = this.lines.get(id);
		const sender = line && this.sender(line);
		if (sender?.dtmf?.canInsertDTMF) sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + key, 160, 70);
		else line?.session.sendDTMF(key); // SIP INFO, where the far end takes no telephone-event
	}

	// To a number; or to a call that is up, so that the two talk. The server ends our part once they do.
	transfer(id: string, to: { number: string } | { call: string }): void {
		const session = this.lines.get(id)?.session;
		const consulted = "call" in to ? this.lines.get(to.call)?.session : undefined;
		const target = "number" in to ? `sip:${encodeURIComponent(to.number)}@${location.hostname}` : consulted?.remote_identity.uri.toString();
		if (!session?.isEstablished() || !target) return;
		this.tell({ kind: "changes", id, change: { transfer: "under_way" } });
		const failed = () => this.tell({ kind: "changes", id, change: { transfer: "failed" } });
		session.refer(target, { ...(consulted ? { replaces: consulted } : {}), eventHandlers: { requestFailed: failed, failed } });
	}

	speakerUse(device: string): void {
		for (const { audio } of this.lines.values()) void sinkSet(audio, device);
	}

	async microphoneUse(): Promise<void> {
		for (const line of this.lines.values()) {
			const sender = this.sender(line);
			if (!sender) continue;
			const stream = await navigator.mediaDevices.getUserMedia({ audio: microphoneOf(choicesRead()) });
			const before = sender.track;
			const track = stream.getAudioTracks()[0] ?? null;
			if (track && before) track.enabled = before.enabled;
			await sender.replaceTrack(track);
			before?.stop();
		}
	}

	private sender({ session }: Line): RTCRtpSender | undefined {
		return session.connection?.getSenders().find((each) => each.track?.kind === "audio");
	}

	// What is heard of the other one and what is said, for the meters.
	streams(id: string): { heard: MediaStream | null; said: MediaStream | null } {
		const line = this.lines.get(id);
		const track = line && this.sender(line)?.track;
		return { heard: line?.remote ?? null, said: track ? new MediaStream([track]) : null };
	}

	// ---- what becomes of a call

	private follow(session: RTCSession, incoming: boolean, dialled?: string): void {
		const id = session.id;
		const line: Line = {
			session,
			audio: new Audio(),
			remote: null,
			counts: { received: 0, lost: 0 },
			offers: 0,
			mended_at: 0,
			path: "open",
			found: false,
			gave_up: null,
			measuring: undefined,
			mending: undefined,
			giving_up: undefined,
		};
		const { uri, display_name } = session.remote_identity;
		line.audio.autoplay = true;
		this.lines.set(id, line);
		void sinkSet(line.audio, choicesRead().speaker);
		this.tell({ kind: "begins", id, incoming, number: dialled ?? decodeURIComponent(uri.user ?? ""), name: incoming ? (display_name ?? "") : "" });
		this.keep(id, line);
		this.nameMedia(session);
		if (session.connection) this.listen(id, line);
		session.on("peerconnection", () => this.listen(id, line));
		session.on("icecandidate", ({ ready }) => void setTimeout(ready, GATHERING_MS));
		session.on("progress", ({ response }: { response?: { body?: string } }) => {
			if (!incoming && response?.body) this.tell({ kind: "changes", id, change: { early: true } });
		});
		session.on("confirmed", () => {
			this.tell({ kind: "talks", id, at: Date.now() });
			line.measuring ??= setInterval(() => void this.measure(id, line), MEASURE_MS);
			clearTimeout(line.mending);
			if (!line.found) line.mending = setTimeout(() => line.found || this.pathGone(id, line), FOUND_MS);
		});
		session.on("hold", ({ originator }) => this.tell({ kind: "changes", id, change: originator === "local" ? { held: true } : { heldByOther: true } }));
		session.on("unhold", ({ originator }) => this.tell({ kind: "changes", id, change: originator === "local" ? { held: false } : { heldByOther: false } }));
		session.on("muted", () => this.tell({ kind: "changes", id, change: { muted: true } }));
		session.on("unmuted", () => this.tell({ kind: "changes", id, change: { muted: false } }));
		session.on("ended", ({ cause }) => this.over(id, line.gave_up ?? (whys[cause] === "connection" ? "connection" : null)));
		session.on("failed", (event: EndEvent) => this.over(id, whyOf(event, incoming)));
	}

	private over(id: string, why: Why): void {
		const line = this.lines.get(id);
		if (!line) return;
		clearInterval(line.measuring);
		clearTimeout(line.mending);
		clearTimeout(line.giving_up);
		line.audio.srcObject = null;
		this.lines.delete(id);
		this.tell({ kind: "ends", id, why });
		this.close();
	}

	private listen(id: string, line: Line): void {
		const connection: RTCPeerConnection = line.session.connection;
		connection.addEventListener("track", ({ track, streams }) => {
			line.remote = streams[0] ?? new MediaStream([track]);
			line.audio.srcObject = line.remote;
			void line.audio.play().catch(() => undefined);
		});
		// JsSIP ends a call that has no way to the other side; here a new one is looked for first, so it is not told that none is left.
		const ice = () => Reflect.get(Object.getPrototypeOf(connection) as object, "iceConnectionState", connection) as RTCIceConnectionState;
		Object.defineProperty(connection, "iceConnectionState", { get: () => (ice() === "failed" ? "disconnected" : ice()), configurable: true });
		connection.addEventListener("iceconnectionstatechange", () => {
			if (ice() === "connected" || ice() === "completed") this.pathFound(id, line);
			else if (ice() === "failed" || ice() === "disconnected") this.pathGone(id, line);
		});
	}

	private pathFound(id: string, line: Line): void {
		line.found = true;
		line.path = "open";
		clearTimeout(line.mending);
		clearTimeout(line.giving_up);
		line.giving_up = undefined;
		this.tell({ kind: "changes", id, change: { path: "open" } });
	}

	// A new way is looked for, again and again, but not for ever.
	private pathGone(id: string, line: Line): void {
		if (!this.lines.has(id)) return;
		line.path = line.found ? "lost" : "blocked";
		this.tell({ kind: "changes", id, change: { path: line.path } });
		clearTimeout(line.mending);
		line.mending = setTimeout(() => this.mend(id), BROKEN_MS);
		line.giving_up ??= setTimeout(
			() => {
				line.gave_up = line.found ? "connection" : "blocked";
				this.hangUp(id);
				this.over(id, line.gave_up);
			},
			line.found ? KEPT_MS : BLOCKED_MS,
		);
	}

	// After a break in the network: the far end learns where we are now (a re-INVITE), and the media find a new way. Once for a break:
	// both the connection and the media may have noticed it.
	private mend(id: string): void {
		const line = this.lines.get(id);
		if (!line?.session.isEstablished() || !this.ua?.isConnected()) return;
		clearTimeout(line.mending);
		const again = () => void (line.mending = setTimeout(() => line.path !== "open" && this.mend(id), SETTLING_MS));
		if (Date.now() - line.mended_at < SETTLING_MS) again();
		else if (line.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })) {
			line.mended_at = Date.now();
			again();
		} else line.mending = setTimeout(() => this.mend(id), BROKEN_MS);
	}

	// JsSIP ends a call whose new description was refused, which both sides do when they offer at the same moment (491), and one whose
	// connection broke meanwhile. Here the description is taken back and offered again, after a while or once the line is back.
	private keep(id: string, line: Line): void {
		const { session } = line;
		const terminate = session.terminate.bind(session);
		session.terminate = (options) => {
			const refused = /^(Hold|Unhold|Media Renegotiation) Failed$/.test(options?.reason_phrase ?? "");
			const cut = options?.cause === "Connection Error" && session.isEstablished();
			if (!(refused && ++line.offers < OFFERS_MAX) && !cut) return terminate(options);
			void (session.connection as RTCPeerConnection).setLocalDescription({ type: "rollback" }).catch(() => undefined); // nothing was offered
			line.mended_at = 0;
			clearTimeout(line.mending);
			if (refused) line.mending = setTimeout(() => this.mend(id), OFFER_AGAIN_MS * (0.5 + Math.random()));
		};
		session.on("sdp", ({ originator, type }) => {
			if (originator === "remote" && type === "answer") line.offers = 0;
		});
	}

	// The other one may change within a call, and the new one may name the media otherwise than the first did, which a browser refuses
	// (RFC 8829 section 5.2.2): each is given the names that it knows.
	private nameMedia(session: RTCSession): void {
		const named = (sdp: string | undefined) => /^a=mid:(\S+)/m.exec(sdp ?? "")?.[1] ?? "";
		let theirs = "",
			ours = "";
		session.on("sdp", (event) => {
			const rename = (from: string, to: string) => (event.sdp = event.sdp.replace(/^(a=mid:|a=group:BUNDLE )(\S+)$/gm, (line, what: string, name: string) => (name === from ? what + to : line)));
			if (event.originator === "remote" && event.type === "offer") {
				theirs = named(event.sdp);
				ours = named((session.connection as RTCPeerConnection | undefined)?.localDescription?.sdp) || theirs;
				rename(theirs, ours);
			} else if (event.originator === "local" && event.type === "answer") rename(ours, theirs);
		});
	}

	private async measure(id: string, line: Line): Promise<void> {
		const counts = { received: 0, lost: 0 };
		let jitter = 0,
			roundTrip = 0;
		(await line.session.connection.getStats()).forEach((each: Record<string, unknown>) => {
			if (each["type"] === "inbound-rtp" && each["kind"] === "audio") {
				counts.lost = Number(each["packetsLost"] ?? 0);
				counts.received = Number(each["packetsReceived"] ?? 0);
				jitter = Number(each["jitter"] ?? 0) * 1000;
			}
			if (each["type"] === "remote-inbound-rtp") roundTrip = Number(each["roundTripTime"] ?? 0) * 1000;
		});
		const loss = lossSince(line.counts, counts);
		line.counts = counts;
		const { local, remote } = line.session.isOnHold();
		const grade = local || remote ? null : loss === null ? "none" : gradeOf(loss, jitter, roundTrip);
		if (this.lines.has(id)) this.tell({ kind: "changes", id, change: { grade } });
	}
}
