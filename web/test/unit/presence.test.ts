// Which of Microsoft's words for what somebody does are told.
import { describe, expect, it } from "vitest";
import { activityOf } from "../../src/parts/presence";

describe("what a Teams user does", () => {
	it("is told where it says more than whether they are available", () => {
		expect(activityOf("InACall")).toBe("inCall");
		expect(activityOf("OutOfOffice")).toBe("outOfOffice");
	});
	it("is left out where it says the same, or nothing that is known here", () => {
		expect(["Available", "Away", "PresenceUnknown", "toString", "", null, undefined].map(activityOf)).toEqual(Array(7).fill(null));
	});
});
