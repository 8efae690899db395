// A trunk's targets as rows and as text.
import { describe, expect, it } from "vitest";
import { rowsOf, textOf } from "../../src/pages/outside/targets";

describe("a trunk's targets", () => {
	it("are the same text again after they were rows", () => {
		const text = "sbc1.example.com:5060;priority=10;weight=60 [2001:db8::1]:5061;weight=5 192.0.2.7";
		expect(rowsOf(text)).toEqual([
			{ place: "sbc1.example.com:5060", priority: 10, weight: 60 },
			{ place: "[2001:db8::1]:5061", priority: 0, weight: 5 },
			{ place: "192.0.2.7", priority: 0, weight: 0 },
		]);
		expect(textOf(rowsOf(text))).toBe(text);
		expect(rowsOf("")).toEqual([]);
	});
	it("leave rows out that nobody has filled in, and blanks", () => {
		expect(textOf([{ place: "  ", priority: 1, weight: 1 }, { place: " a.example : 5060", priority: 0, weight: 0 }])).toBe("a.example:5060");
	});
});
