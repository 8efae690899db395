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

interface Page {
	connections: RTCPeerConnection[];
	MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<AudioData> };
}

// Before the page is loaded: it keeps its connections where they can be found.
export async function listenIn(window: Window): Promise<void> {
	await window.page.addInitScript(() => {
		const page = globalThis as unknown as Page;
		page.connections = [];
		globalThis.RTCPeerConnection = new Proxy(globalThis.RTCPeerConnection, {
			construct(real, given) {
				const made = new real(...(given as [RTCConfiguration]));
				page.connections.push(made);
				return made;
			},
		});
	});
}

// Per 20 ms: the pitch that the page hears in its newest call, 0 where it is silent.
async function pitches(window: Window): Promise<number[]> {
	return window.page.evaluate(async () => {
		const page = globalThis as unknown as Page;
		const track = page.connections
			.filter((each) => each.connectionState === "connected")
			.at(-1)
			?.getReceivers()[0]?.track;
		if (!track) return [];
		const own = track.clone();
		const reader = new page.MediaStreamTrackProcessor({ track: own }).readable.getReader();
		const late = setTimeout(() => own.stop(), 3000);
		const samples: number[] = [];
		let rate = 48_000;
		while (samples.length < 0.7 * rate) {
			const { value } = await reader.read();
			if (!value) break;
			rate = value.sampleRate;
			const plane = new Float32Array(value.numberOfFrames);
			value.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
			samples.push(...plane);
			value.close();
		}
		clearTimeout(late);
		own.stop();
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
	});
}

async function pageUntil(window: Window, right: (found: number[]) => boolean, what: string): Promise<void> {
	let last: number[] = [];
	try {
		await vi.waitUntil(async () => (last = await pitches(window)).length > 25 && right(last), { timeout: 40_000, interval: 50 });
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
