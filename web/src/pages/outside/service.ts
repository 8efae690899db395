// How well a trunk serves, and which of those to MS Teams a call goes over.
import type { Schemas } from "../../api/client";

export type Service = Schemas["TrunkService"] | "partly"; // partly: without some of its targets
type Trunk = Schemas["TrunkBrief"];
type State = Pick<Schemas["TrunkState"], "trunk_id" | "service"> & { targets: readonly Pick<Schemas["TrunkTargetState"], "service">[] };

export function serviceOf(state: Omit<State, "trunk_id">): Service {
	return state.service === "in_service" && state.targets.some((target) => target.service === "out_of_service") ? "partly" : state.service;
}

// Of the trunks, as a device lists them: the one that calls go over now, how it is, and those that stand in for it. `states` are
// newer than what the device says.
export function trunkUsed(trunks: readonly Trunk[], states: readonly State[] | undefined) {
	const enabled = trunks.filter((trunk) => trunk.enabled);
	const serviceNow = (trunk: Trunk): Service => {
		const state = states?.find((each) => each.trunk_id === trunk.id);
		return state ? serviceOf(state) : trunk.service;
	};
	const used = enabled.find((trunk) => serviceNow(trunk) !== "out_of_service") ?? enabled[0] ?? trunks[0];
	return used && { trunk: used, service: serviceNow(used), others: enabled.filter((trunk) => trunk !== used) };
}
