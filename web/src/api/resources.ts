// The lists and entities of the API as queries: what is read is kept, and an event or a write makes it be read again.
import { keepPreviousData, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { request, type Answer, type Query, type Schemas } from "./client";

export type User = Schemas["User"];
export type Device = Schemas["Device"];
export type Trunk = Schemas["Trunk"];
export type Route = Schemas["Route"];
export type Did = Schemas["Did"];
export type DeviceKind = Schemas["DeviceKind"];
export type RingPlan = Schemas["RingPlan"];
export type Turn = Schemas["Turn"];

// Lists by their name in the path.
export interface Resources {
	users: User;
	devices: Device;
	trunks: Trunk;
	routes: Route;
	dids: Did;
	sessions: Schemas["SessionEntry"];
	selections: Schemas["Selection"];
	tokens: Schemas["Token"];
}
export type Resource = keyof Resources;

export interface Page<T> {
	items: T[];
	total: number;
	next: string | null;
}

export function useList<R extends Resource>(resource: R, query: Query = {}, enabled = true) {
	return useQuery({
		queryKey: [resource, "list", query],
		queryFn: async ({ signal }) =>
			(await request<Page<Resources[R]>>("GET", `/${resource}`, { query, signal })).data,
		placeholderData: keepPreviousData,
		enabled,
	});
}

export function entityGet<R extends Resource>(resource: R, id: string): Promise<Answer<Resources[R]>> {
	return request<Resources[R]>("GET", `/${resource}/${encodeURIComponent(id)}`);
}

// With its ETag, which a change of it must send along.
export function useEntity<R extends Resource>(resource: R, id: string | undefined) {
	return useQuery({
		queryKey: [resource, "one", id],
		queryFn: () => entityGet(resource, id as string),
		enabled: id !== undefined,
	});
}

// After a write to one list: everything that may show it is read again.
const affected: Record<Resource, readonly (Resource | "me" | "status" | "registrations" | "trunk-states")[]> = {
	users: ["users", "devices", "dids", "me", "sessions", "status"],
	devices: ["devices", "users", "me", "status", "registrations"],
	trunks: ["trunks", "routes", "dids", "devices", "status", "trunk-states"],
	routes: ["routes"],
	dids: ["dids"],
	sessions: ["sessions", "users", "selections", "devices"],
	selections: ["selections", "users", "devices", "me"],
	tokens: ["tokens"],
};

export async function refresh(client: QueryClient, resource: Resource): Promise<void> {
	await Promise.all(affected[resource].map((name) => client.invalidateQueries({ queryKey: [name] })));
}

export function useRefresh() {
	const client = useQueryClient();
	return (resource: Resource) => refresh(client, resource);
}
