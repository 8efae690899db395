// What happens on the server, as it happens (Server-Sent Events): calls are replaced at once, and whatever else changed is
// read again, at most once a second.
import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, createElement, useContext, useEffect, useState, type ReactNode } from "react";
import { request, type Schemas } from "./client";
import { refresh, type Resource } from "./resources";

export type Call = Schemas["Call"];

const READ_AGAIN_MS = 1000;
const OVER_SHOWN_MS = 6000; // a call that is over stays in sight that long

const listOf: Record<string, Resource> = {
	user: "users",
	device: "devices",
	trunk: "trunks",
	route: "routes",
	did: "dids",
	selection: "selections",
	session: "sessions",
	token: "tokens",
};
const callsKey = ["calls"];

// What has come since each reading of the list began that is still under way.
const cameMeanwhile = new Set<Call[]>();

function callsWith(calls: Call[], call: Call): Call[] {
	const others = calls.filter((each) => each.id !== call.id);
	return [call, ...others].sort((a, b) => (b.started_at ?? "").localeCompare(a.started_at ?? ""));
}

// A list that is read while events come may be older than they are, so they go over it. Where one of them was the older, a newer comes.
export async function callsRead(read: () => Promise<Call[]>): Promise<Call[]> {
	const came: Call[] = [];
	cameMeanwhile.add(came);
	try {
		return came.reduce(callsWith, await read());
	} finally {
		cameMeanwhile.delete(came);
	}
}

export function callReplace(client: QueryClient, call: Call): void {
	for (const came of cameMeanwhile) came.push(call);
	client.setQueryData<Call[]>(callsKey, (calls = []) => callsWith(calls, call));
	if (call.over)
		setTimeout(() => client.setQueryData<Call[]>(callsKey, (calls = []) => calls.filter((each) => each.id !== call.id || !each.over)), OVER_SHOWN_MS);
}

// Collects what has to be read again, and reads it when a little time has passed.
function readAgain(client: QueryClient) {
	const due = new Set<string>();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const flush = () => {
		timer = undefined;
		const names = [...due];
		due.clear();
		for (const name of names)
			if (name in listOf) void refresh(client, listOf[name] as Resource);
			else void client.invalidateQueries({ queryKey: [name] });
	};
	return {
		add(...names: string[]) {
			for (const name of names) due.add(name);
			timer ??= setTimeout(flush, READ_AGAIN_MS);
		},
		stop() {
			clearTimeout(timer);
		},
	};
}

const Live = createContext(false);

// Whether events arrive; what is shown may be old while they do not.
export function useLive(): boolean {
	return useContext(Live);
}

export function EventsProvider({ children }: { children: ReactNode }) {
	const client = useQueryClient();
	const [live, setLive] = useState(true);
	useEffect(() => {
		const source = new EventSource("/api/v1/events");
		const again = readAgain(client);
		const on = (name: string, then: (data: string) => void) => source.addEventListener(name, (event) => then((event as MessageEvent<string>).data));
		source.onopen = () => {
			setLive(true);
			again.add("calls"); // listen first, then read
		};
		source.onerror = () => setLive(false);
		on("call", (data) => {
			const call = JSON.parse(data) as Call;
			callReplace(client, call);
			again.add("status", ...(call.over ? ["call-records"] : []));
		});
		on("device", () => again.add("device"));
		on("trunk", () => again.add("trunk-states", "status"));
		on("session", () => again.add("session"));
		on("entity", (data) => again.add((JSON.parse(data) as Schemas["EntityEvent"]).kind, "audit"));
		on("alarm", () => again.add("status"));
		on("reset", () => void client.invalidateQueries());
		return () => {
			source.close();
			again.stop();
		};
	}, [client]);
	return createElement(Live.Provider, { value: live }, children);
}

// The calls that are up, newest first. `ask` is false for somebody who may see none but their own: those come as events.
export function useCalls(ask: boolean) {
	return useQuery({
		queryKey: callsKey,
		queryFn: ({ signal }) => callsRead(async () => (await request<Schemas["CallPage"]>("GET", "/calls", { signal })).data.items),
		enabled: ask,
		staleTime: Infinity,
		initialData: ask ? undefined : [],
	});
}

// The calls that are known of when it is asked: all of one's own are, since they came as events.
export function useKnownCalls(): () => Call[] {
	const client = useQueryClient();
	return () => client.getQueryData<Call[]>(callsKey) ?? [];
}
