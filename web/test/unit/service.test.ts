// Which trunk to MS Teams a call goes over, and how well it serves.
import { describe, expect, it } from "vitest";
import { serviceOf, trunkUsed } from "../../src/pages/outside/service";

type Service = "unknown" | "in_service" | "out_of_service";
const trunk = (id: string, enabled = true, service: Service = "unknown") => ({ id, title: `Teams ${id}`, enabled, service });
const state = (trunk_id: string, ...targets: Service[]) => ({
	trunk_id,
	service: targets.every((each) => each === "out_of_service") ? ("out_of_service" as const) : ("in_service" as const),
	targets: targets.map((service) => ({ service })),
});

describe("the service of a trunk", () => {
	it("is partial while some of its targets are out of service", () => {
		expect(serviceOf(state("1", "in_service", "in_service"))).toBe("in_service");
		expect(serviceOf(state("1", "out_of_service", "in_service"))).toBe("partly");
		expect(serviceOf(state("1", "out_of_service", "out_of_service"))).toBe("out_of_service");
		expect(serviceOf({ service: "unknown", targets: [] })).toBe("unknown");
	});
});

describe("the trunk that is used", () => {
	it("is the first one enabled that is not out of service; the others stand in", () => {
		const trunks = [trunk("1"), trunk("2"), trunk("3", false)];
		expect(trunkUsed(trunks, undefined)).toEqual({ trunk: trunks[0], service: "unknown", others: [trunks[1]] });
		expect(trunkUsed(trunks, [state("1", "out_of_service"), state("2", "in_service")])).toEqual({ trunk: trunks[1], service: "in_service", others: [trunks[0]] });
	});
	it("is the first one enabled where all are out of service", () => {
		const trunks = [trunk("1", true, "out_of_service"), trunk("2", true, "out_of_service")];
		expect(trunkUsed(trunks, undefined)?.trunk).toBe(trunks[0]);
	});
	it("is one that is disabled where there is no other, or none", () => {
		expect(trunkUsed([trunk("3", false)], [])?.trunk.enabled).toBe(false);
		expect(trunkUsed([], [])).toBeUndefined();
	});
});
