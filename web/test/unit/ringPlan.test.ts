// The arithmetic of ring plans.
import { describe, expect, it } from "vitest";
import { axisOf, barsOf, clamp, dragged, endOf, moved, storyOf } from "../../src/parts/ringPlan";

const turn = (start_s: number, ring_s: number) => ({ start_s, ring_s });
const told = (strategy: "at_once" | "in_sequence", ...turns: { start_s: number; ring_s: number }[]) =>
	storyOf(barsOf(strategy, turns))
		.map((phrase) => `${phrase.kind}${"at" in phrase ? ` ${phrase.at}` : ""}${"who" in phrase ? `: ${phrase.who.join(" ")}` : ""}`)
		.join("; ");

describe("bars", () => {
	it("start where they say at once, and one after the other in sequence", () => {
		const turns = [turn(0, 20), turn(10, 30), turn(5, 1)];
		expect(barsOf("at_once", turns)).toEqual([
			{ start: 0, stop: 20 },
			{ start: 10, stop: 40 },
			{ start: 5, stop: 6 },
		]);
		expect(barsOf("in_sequence", turns)).toEqual([
			{ start: 0, stop: 20 },
			{ start: 20, stop: 50 },
			{ start: 50, stop: 51 },
		]);
		expect(endOf(barsOf("at_once", turns))).toBe(40);
		expect(endOf([])).toBe(0);
	});

	it("fit on their axis with room to drag into, and few marks", () => {
		for (const end of [1, 20, 30, 59, 600, 1200, 12000]) {
			const axis = axisOf([{ start: 0, stop: end }]);
			expect(axis.length).toBeGreaterThan(end);
			expect(axis.marks.length).toBeLessThanOrEqual(10);
			expect(axis.marks[0]).toBe(0);
			expect(axis.marks.at(-1)).toBe(axis.length);
		}
	});
});

describe("dragging", () => {
	it("keeps within the limits", () => {
		expect(dragged(turn(5, 20), "whole", -9)).toEqual(turn(0, 20));
		expect(dragged(turn(5, 20), "whole", 9000)).toEqual(turn(600, 20));
		expect(dragged(turn(5, 20), "right", -99)).toEqual(turn(5, 1));
		expect(dragged(turn(5, 20), "right", 9000)).toEqual(turn(5, 600));
	});
	it("keeps the end when the left edge is dragged", () => {
		expect(dragged(turn(5, 20), "left", 3)).toEqual(turn(8, 17));
		expect(dragged(turn(5, 20), "left", -3)).toEqual(turn(2, 23));
		expect(dragged(turn(5, 20), "left", 99)).toEqual(turn(24, 1));
		expect(dragged(turn(5, 20), "left", -99)).toEqual(turn(0, 25));
	});
	it("moves turns in the order", () => {
		expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
		expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
	});
	it("rounds to whole seconds", () => {
		expect(clamp(1.6, { min: 0, max: 5 })).toBe(2);
		expect(clamp(-1, { min: 0, max: 5 })).toBe(0);
	});
});

describe("what a caller experiences", () => {
	it("is told as the issue says it: desk at once, after 10 s the mobile too, then busy", () => {
		expect(told("at_once", turn(0, 30), turn(10, 20))).toBe("first 0: 0; joins 10: 1; end 30");
	});
	it("names what stops while others go on", () => {
		expect(told("at_once", turn(0, 10), turn(0, 20))).toBe("first 0: 0 1; stops 10: 0; end 20");
	});
	it("tells a sequence as one taking over from the other", () => {
		expect(told("in_sequence", turn(0, 10), turn(0, 20))).toBe("first 0: 0; takesOver 10: 1; end 30");
	});
	it("does not hide silence", () => {
		expect(told("at_once", turn(5, 5), turn(20, 5))).toBe("silence 0; later 5: 0; silence 10; later 20: 1; end 25");
	});
	it("says when there is nobody", () => {
		expect(told("at_once")).toBe("nobody; end 0");
	});
});
