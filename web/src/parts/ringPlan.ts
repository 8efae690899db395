// The arithmetic of ring plans: when each device starts and stops, the axis they are drawn on, and what a caller experiences.
export type Strategy = "at_once" | "in_sequence";

export interface PlanTurn {
	start_s: number; // after the call's arrival; in_sequence has its own
	ring_s: number;
}

export interface Bar {
	start: number; // seconds after the call's arrival
	stop: number;
}

export const LIMITS = { start: { min: 0, max: 600 }, ring: { min: 1, max: 600 }, turns: 20 } as const;
export const RING_DEFAULT = 20;

export function clamp(value: number, { min, max }: { min: number; max: number }): number {
	return Math.min(max, Math.max(min, Math.round(value)));
}

// As the server does it: at once, each has its own start; in sequence, each starts when the one before stops.
export function barsOf(strategy: Strategy, turns: readonly PlanTurn[]): Bar[] {
	let before = 0;
	return turns.map(({ start_s, ring_s }) => {
		const start = strategy === "at_once" ? start_s : before;
		before = start + ring_s;
		return { start, stop: before };
	});
}

export function endOf(bars: readonly Bar[]): number {
	return bars.reduce((end, bar) => Math.max(end, bar.stop), 0);
}

// The axis: its length in seconds, and where it has marks; there is always some room to drag into.
export function axisOf(bars: readonly Bar[]): { length: number; marks: number[] } {
	const wanted = Math.max(30, endOf(bars) * 1.15);
	const step = [5, 10, 15, 30, 60, 120, 300, 600, 1200].find((each) => wanted / each <= 8) ?? 2400;
	const length = Math.ceil(wanted / step) * step;
	return { length, marks: Array.from({ length: length / step + 1 }, (_, at) => at * step) };
}

// What changes at one moment: which devices begin, which stop, and which go on.
export interface Moment {
	at: number;
	starts: number[]; // indices of turns
	stops: number[];
	goesOn: number[];
}

export function momentsOf(bars: readonly Bar[]): Moment[] {
	const times = [...new Set(bars.flatMap(({ start, stop }) => [start, stop]))].sort((a, b) => a - b);
	const where = (test: (bar: Bar) => boolean) => bars.flatMap((bar, at) => (test(bar) ? [at] : []));
	return times.map((at) => ({
		at,
		starts: where((bar) => bar.start === at),
		stops: where((bar) => bar.stop === at),
		goesOn: where((bar) => bar.start < at && bar.stop > at),
	}));
}

export type Phrase =
	| { kind: "first" | "joins" | "takesOver" | "later"; at: number; who: number[] }
	| { kind: "stops"; at: number; who: number[] }
	| { kind: "silence"; at: number }
	| { kind: "nobody" }
	| { kind: "end"; at: number };

// The same, phrase by phrase, as it is told in a sentence.
export function storyOf(bars: readonly Bar[]): Phrase[] {
	if (bars.length === 0) return [{ kind: "nobody" }, { kind: "end", at: 0 }];
	const story: Phrase[] = [];
	const end = endOf(bars);
	const moments = momentsOf(bars);
	if (moments[0] && moments[0].at > 0) story.push({ kind: "silence", at: 0 });
	for (const { at, starts, stops, goesOn } of moments) {
		if (starts.length) {
			const kind = at === 0 ? "first" : goesOn.length ? "joins" : stops.length ? "takesOver" : "later";
			story.push({ kind, at, who: starts });
		}
		if (at === end) continue;
		if (stops.length && (goesOn.length || (starts.length && goesOn.length))) story.push({ kind: "stops", at, who: stops });
		else if (stops.length && !starts.length) story.push({ kind: "silence", at });
	}
	story.push({ kind: "end", at: end });
	return story;
}

// Dragging a bar as a whole, its left or its right edge, by so many seconds.
export function dragged(turn: PlanTurn, part: "whole" | "left" | "right", by: number): PlanTurn {
	if (part === "right") return { ...turn, ring_s: clamp(turn.ring_s + by, LIMITS.ring) };
	const start_s = clamp(turn.start_s + by, LIMITS.start);
	if (part === "whole") return { ...turn, start_s };
	const stop = turn.start_s + turn.ring_s;
	const start = Math.min(start_s, stop - LIMITS.ring.min);
	return { ...turn, start_s: start, ring_s: clamp(stop - start, LIMITS.ring) };
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
	const copy = [...list];
	const [one] = copy.splice(from, 1);
	if (one !== undefined) copy.splice(to, 0, one);
	return copy;
}
