// Which kinds of device stand on which page.
import type { DeviceKind } from "../../api/resources";

export type DeviceGroup = "sip" | "webrtc" | "external" | "teams";

export const kindsOf: Record<DeviceGroup, readonly DeviceKind[]> = {
	sip: ["sip_phone", "softphone"],
	webrtc: ["webrtc"],
	external: ["external"],
	teams: ["teams"],
};

export const groupLabels = { sip: "sipDevices", webrtc: "webrtcDevices", external: "externalNumbers", teams: "teamsDevices" } as const;

export function groupOf(kind: DeviceKind): DeviceGroup {
	return kind === "sip_phone" || kind === "softphone" ? "sip" : kind;
}

export function deviceName(device: { title: string; number: string }): string {
	return device.title || device.number;
}
