// The pages that tests and screenshots go through, against the example's store with life in it.
import { vi } from "vitest";
import { Phones, type Server } from "./harness";

export const shown: readonly { name: string; path: string }[] = [
	{ name: "overview", path: "/overview" },
	{ name: "calls", path: "/calls" },
	{ name: "registrations", path: "/registrations" },
	{ name: "sign-ins", path: "/sign-ins" },
	{ name: "call-records", path: "/call-records" },
	{ name: "call-record", path: "/call-records/:answered" },
	{ name: "audit", path: "/audit" },
	{ name: "settings", path: "/settings" },
	{ name: "tokens", path: "/tokens" },
	{ name: "my-phone", path: "/me" },
	{ name: "account", path: "/account" },
	{ name: "import", path: "/import" },
	{ name: "users", path: "/users" },
	{ name: "user", path: "/users/2" },
	{ name: "user-new", path: "/users/new" },
	{ name: "user-clone", path: "/users/new?clone=2" },
	{ name: "sip-devices", path: "/devices/sip" },
	{ name: "sip-device", path: "/devices/sip/1" },
	{ name: "webrtc-devices", path: "/devices/webrtc" },
	{ name: "external-numbers", path: "/devices/external" },
	{ name: "external-number", path: "/devices/external/3" },
	{ name: "external-number-new", path: "/devices/external/new" },
	{ name: "teams-devices", path: "/devices/teams" },
	{ name: "trunks", path: "/trunks" },
	{ name: "trunk", path: "/trunks/1" },
	{ name: "routes", path: "/routes" },
	{ name: "route", path: "/routes/1" },
	{ name: "numbers", path: "/numbers" },
	{ name: "number-new", path: "/numbers/new" },
	{ name: "trunk-new", path: "/trunks/new" },
	{ name: "route-new", path: "/routes/new" },
];

// Registers the example's phones, has Bob call Jane twice, and leaves the second call up. Gives the pages with the first call's
// record where ":answered" stands, and what ends it all. They ring for `ring_ms`, which makes bars that can be seen.
export async function enliven(server: Server, ring_ms = 0): Promise<{ pages: typeof shown; end: () => Promise<void> }> {
	const phones = Phones.start(server);
	for (const number of ["330", "821", "822"]) await phones.do("register", number, { password: server.passwords.get(number) ?? "" });
	const call = async () => {
		await phones.do("dial", "822", { number: "510" });
		await phones.do("rings", "330");
		await new Promise((done) => setTimeout(done, ring_ms));
		await phones.do("answer", "821");
	};
	const records = async () => (await server.api<{ items: { id: string }[] }>("GET", "/call-records?outcome=answered")).items;
	await server.api("PATCH", "/trunks/1", { enabled: false }); // its carrier is not there: a record would wait half a minute for it
	await call();
	await phones.do("hang_up", "822");
	const answered = await vi.waitUntil(async () => (await records())[0]?.id, { timeout: 60_000, interval: 100 });
	await server.api("PATCH", "/trunks/1", { enabled: true });
	await call();
	return {
		pages: shown.map(({ name, path }) => ({ name, path: path.replace(":answered", answered) })),
		end: async () => {
			await phones.do("hang_up", "822");
			await phones.close();
		},
	};
}
