// Whose sound a call record tells of.
import { describe, expect, it } from "vitest";
import { rowsOfQuality } from "../../src/parts/quality";
import type { CallRecord } from "../../src/parts/timeline";

const heard = { relay: "west", codec: "opus", packets: 900, lost: 3, loss_percent: 0.3, jitter_ms: 4, mos: 4.2, rating: "good" };
const record = (legs: object[], more: object = {}) => ({ caller_quality: null, legs, ...more }) as unknown as CallRecord;
const leg = (more: object) => ({ number: "330", title: "", anchor_reason: null, quality: null, ...more });

describe("whose sound is told of", () => {
	it("is nobody's when the relay carried nothing", () => {
		expect(rowsOfQuality(record([leg({}), leg({})]))).toEqual([]);
	});
	it("is the caller's first, then that of each leg that was carried", () => {
		const rows = rowsOfQuality(
			record([leg({}), leg({ title: "Desk", anchor_reason: "browser", quality: heard }), leg({ number: "821", anchor_reason: "nat" })], { caller_quality: heard }),
		);
		expect(rows.map((row) => [row.name, row.reason, row.quality?.mos])).toEqual([
			[null, null, 4.2],
			["Desk", "browser", 4.2],
			["821", "nat", undefined],
		]);
	});
});
