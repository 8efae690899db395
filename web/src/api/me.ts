// What is the caller's own: state, devices, the device selected for the session.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { request, type Schemas } from "./client";

export type Me = Schemas["Me"];
export type SelectableDevice = Schemas["DeviceBrief"];

export function useMe() {
	return useQuery({
		queryKey: ["me"],
		queryFn: async ({ signal }) => (await request<Me>("GET", "/me", { signal })).data,
		refetchInterval: 60_000,
	});
}

export function useSelectableDevices(enabled: boolean) {
	return useQuery({
		queryKey: ["me", "selectable"],
		queryFn: async ({ signal }) => (await request<Schemas["DeviceBriefPage"]>("GET", "/me/selectable-devices", { signal })).data.items,
		enabled,
	});
}

export function useMySessions() {
	return useQuery({
		queryKey: ["me", "sessions"],
		queryFn: async ({ signal }) => (await request<Schemas["MySessionPage"]>("GET", "/me/sessions", { signal })).data.items,
		refetchInterval: 60_000,
	});
}

export function useMeChange() {
	const client = useQueryClient();
	const again = () => client.invalidateQueries({ queryKey: ["me"] });
	return {
		async doNotDisturb(on: boolean) {
			await request("PATCH", "/me", { body: { do_not_disturb: on } });
			await again();
		},
		// 4 to 15 digits, or "" for none.
		async pin(pin: string) {
			await request("PATCH", "/me", { body: { pin } });
			await again();
		},
		async sessionEnd(id: string) {
			try {
				await request("DELETE", `/me/sessions/${id}`);
			} finally {
				await again();
			}
		},
		async select(deviceId: string) {
			try {
				await request("PUT", "/me/device", { body: { device_id: deviceId } });
			} finally {
				await again(); // also when somebody else was faster: the list shows who
			}
		},
		async release() {
			await request("DELETE", "/me/device");
			await again();
		},
	};
}
