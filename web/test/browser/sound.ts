// A tone for a browser's fake microphone, and what a page hears, measured in the page.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { Window } from "./harness";

const RATE = 48_000;

// A multiple of 100 Hz, so that it goes on without a crack when the file begins again.
export function toneFile(hertz: number): { path: string; remove: () => void } {
	const folder = mkdtempSync(join(tmpdir(), "carillon-tone-"));
	const samples = RATE;
	const wav = Buffer.alloc(44 + 2 * samples);
	wav.write("RIFF", 0);
	wav.writeUInt32LE(36 + 2 * samples, 4);
	wav.write("WAVEfmt ", 8);
	wav.writeUInt32LE(16, 16);
	wav.writeUInt16LE(1, 20); // PCM
	wav.writeUInt16LE(1, 22); // one channel
	wav.writeUInt32LE(RATE, 24);
	wav.writeUInt32LE(2 * RATE, 28);
	wav.writeUInt16LE(2, 32);
	wav.writeUInt16LE(16, 34);
	wav.write("data", 36);
	wav.writeUInt32LE(2 * samples, 40);
	for (let i = 0; i < samples; i++) wav.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hertz * i) / RATE)), 44 + 2 * i);
	const path = join(folder, "tone.wav");
	writeFileSync(path, wav);
	return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export const microphone = (path: string) => [
	"--use-fake-device-for-media-stream",
	`--use-file-for-fake-audio-capture=${path}`,
	"--allow-loopback-in-peer-connection",
	"--autoplay-policy=no-user-gesture-required",
];

interface Heard {
	at: number; // ms, of performance.now
	rate: number;
	samples: Float32Array;
}
interface Page {
	connections: RTCPeerConnection[];
	blocked: boolean;
	heard: Map<RTCPeerConnection, Heard[]>; // the last of what each has heard
	MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<AudioData> };
}

// Before the page is loaded: it keeps its connections where they can be found, and what they hear.
export async function listenIn(window: Window): Promise<void> {
	await window.page.addInitScript(() => {
		const KEPT_MS = 1000;
		const page = globalThis as unknown as Page;
		page.connections = [];
		page.heard = new Map();
		const listen = async (heard: Heard[], track: MediaStreamTrack) => {
			const reader = new page.MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
			for (let { value } = await reader.read(); value; { value } = await reader.read()) {
				const samples = new Float32Array(value.numberOfFrames);
				value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
				const at = performance.now();
				heard.push({ at, rate: value.sampleRate, samples });
				while (heard[0] && at - heard[0].at > KEPT_MS) heard.shift();
				value.close();
			}
		};
		globalThis.RTCPeerConnection = new Proxy(globalThis.RTCPeerConnection, {
			construct(real, given) {
				const [configuration] = given as [RTCConfiguration];
				const made = new real({ ...configuration, iceTransportPolicy: page.blocked ? "relay" : "all" });
				const heard: Heard[] = [];
				page.connections.push(made);
				page.heard.set(made, heard);
				made.addEventListener("track", ({ track }) => void listen(heard, track));
				return made;
			},
		});
	});
}

// Whether the network lets sound through, for new calls and when one looks for another way: as where no UDP gets to the relay.
export async function soundBlock(window: Window, blocked: boolean): Promise<void> {
	await window.page.evaluate((blocked) => {
		const page = globalThis as unknown as Page;
		page.blocked = blocked;
		for (const each of page.connections) if (each.connectionState !== "closed") each.setConfiguration({ ...each.getConfiguration(), iceTransportPolicy: blocked ? "relay" : "all" });
	}, blocked);
}

// Per 20 ms of the last 700: the pitch that the page hears in its newest call, 0 where it is silent. Empty as long as not all of them have
// come since `since`, in ms of the page's performance.now.
async function pitches(window: Window, since: number): Promise<number[]> {
	return window.page.evaluate((since) => {
		const SPAN_S = 0.7;
		const page = globalThis as unknown as Page;
		const newest = page.connections.filter((each) => each.connectionState === "connected").at(-1);
		const heard = (newest && page.heard.get(newest)) ?? [];
		const rate = heard.at(-1)?.rate ?? 48_000;
		const all = heard.filter((each) => each.at > since && each.rate === rate).flatMap((each) => [...each.samples]);
		if (all.length < SPAN_S * rate) return [];
		const samples = all.slice(-SPAN_S * rate);
		const found: number[] = [];
		const block = rate / 50;
		for (let start = 0; start + 4 * block < samples.length; start += block) {
			const wide = samples.slice(start, start + 4 * block);
			if (Math.max(...wide.slice(0, block).map(Math.abs)) < 0.02) {
				found.push(0);
				continue;
			}
			const rises: number[] = [];
			for (let i = 1; i < wide.length; i++) {
				const [before, now] = [wide[i - 1] as number, wide[i] as number];
				if (before < 0 && now >= 0) rises.push(i - now / (now - before));
			}
			found.push(rises.length > 2 ? ((rises.length - 1) * rate) / ((rises.at(-1) as number) - (rises[0] as number)) : 1);
		}
		return found;
	}, since);
}

// How the newest call's voice is coded: "opus", "PCMU", as it is sent and as it comes.
export async function codecs(window: Window): Promise<{ said: string; heard: string }> {
	return window.page.evaluate(async () => {
		const newest = (globalThis as unknown as Page).connections.filter((each) => each.connectionState === "connected").at(-1);
		const stats = [...((await newest?.getStats()) as unknown as Map<string, Record<string, unknown>>).values()];
		const codec = (type: string) => {
			const id = stats.find((each) => each["type"] === type && each["kind"] === "audio")?.["codecId"];
			return String(stats.find((each) => each["id"] === id)?.["mimeType"] ?? "").replace("audio/", "");
		};
		return { said: codec("outbound-rtp"), heard: codec("inbound-rtp") };
	});
}

async function pageUntil(window: Window, right: (found: number[]) => boolean, what: string): Promise<void> {
	let last: number[] = [];
	const since = await window.page.evaluate(() => performance.now());
	try {
		await vi.waitUntil(async () => (last = await pitches(window, since)).length > 25 && right(last), { timeout: 40_000, interval: 50 });
	} catch {
		expect.fail(`${what}; at last ${last.map(Math.round).join(" ")}`);
	}
}

// Waits until the page has heard this tone for a while without a break.
export const pageHears = (window: Window, hertz: number) =>
	pageUntil(window, (found) => found.filter((each) => Math.abs(each - hertz) < 0.02 * hertz).length > 0.95 * found.length, `the page does not hear ${hertz} Hz`);

// Or anything else, or nothing.
export const pageMisses = (window: Window, hertz: number) =>
	pageUntil(window, (found) => found.every((each) => Math.abs(each - hertz) > 0.02 * hertz), `the page still hears ${hertz} Hz`);
