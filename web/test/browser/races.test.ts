// Two people at once: one device for two agents, and a device that is deleted while it is in a call.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSWORD, Phones, Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start(), browserStart()]);
	await server.prepare();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

// In the page, with its cookie, as the console asks.
interface Taken {
	status: number;
	code?: string;
	detail?: string;
}
async function agentWindow(name: string): Promise<Window> {
	const window = await Window.open(browser, server);
	await window.signIn(name);
	await window.page.getByRole("button", { name: "Select a device" }).waitFor();
	return window;
}
async function ask(window: Window, method: string, path: string, body?: unknown): Promise<Taken> {
	return window.page.evaluate(
		async ([method, path, body]) => {
			const kept = globalThis as unknown as { csrfToken?: string };
			kept.csrfToken ??= ((await (await fetch("/api/v1/session")).json()) as { csrf_token: string }).csrf_token;
			const headers = { "X-CSRF-Token": kept.csrfToken, "Content-Type": "application/json" };
			const response = await fetch(`/api/v1${path}`, { method: method as string, headers, ...(body ? { body: body as string } : {}) });
			const text = await response.text();
			return { ...(text ? (JSON.parse(text) as object) : {}), status: response.status };
		},
		[method, path, body ? JSON.stringify(body) : ""] as const,
	);
}

describe("two agents", () => {
	it("who select one device at the same instant, 200 times: one has it, the other is told who", async () => {
		const device = await server.api<{ id: string }>("POST", "/devices", { kind: "sip_phone", number: "800", title: "Shared", available_for_selection: true });
		for (const [name, extension] of [["ann", "501"], ["ben", "502"]] as const) {
			await server.api("POST", "/users", { name, title: name === "ann" ? "Ann Noe" : "Ben Roe", extension, password: "first long password" });
			await server.passwordChoose(name, "first long password", PASSWORD);
		}
		const agents = [await agentWindow("ann"), await agentWindow("ben")] as const;
		const won = [0, 0];
		for (let round = 0; round < 200; round++) {
			const answers = await Promise.all(agents.map((agent) => ask(agent, "PUT", "/me/device", { device_id: device.id })));
			const winner = answers.findIndex(({ status }) => status === 200);
			const loser = answers[1 - winner];
			expect(answers.map(({ status }) => status).sort(), `round ${round}`).toEqual([200, 409]);
			expect(loser?.code).toBe("device_taken");
			expect(loser?.detail).toContain(winner === 0 ? "Ann Noe" : "Ben Roe");
			won[winner] = (won[winner] ?? 0) + 1;
			const released = await ask(agents[winner as 0 | 1], "DELETE", "/me/device");
			expect(released.status).toBeLessThan(300);
		}
		console.log(`won: Ann ${won[0]}, Ben ${won[1]}`);

		// What is taken by one disappears for the other at once, who reads by whom.
		await agents[1].page.getByRole("button", { name: "Select a device" }).click();
		await agents[1].page.locator("[data-device='800']:not([data-disabled])").waitFor();
		await ask(agents[0], "PUT", "/me/device", { device_id: device.id });
		await agents[1].page.locator("[data-device='800'][data-disabled]").getByText("Ann Noe").waitFor();
		for (const agent of agents) {
			expect(agent.faults).toEqual([]);
			await agent.close();
		}
	});
});

describe("a device", () => {
	it("that is deleted during its call: the call goes on, and the device is gone", async () => {
		const phones = Phones.start(server);
		try {
			const make = (number: string) => server.api<{ id: string; sip_password: string }>("POST", "/devices", { kind: "softphone", number });
			const [one, other] = [await make("331"), await make("332")];
			for (const [name, extension, device] of [["cat", "531", one], ["dan", "532", other]] as const) {
				const user = await server.api<{ id: string }>("POST", "/users", { name, title: name, extension, password: "first long password" });
				await server.api("PUT", `/users/${user.id}/ring-plan`, { strategy: "at_once", turns: [{ device_id: device.id }] });
			}
			await phones.do("register", "331", { password: one.sip_password });
			await phones.do("register", "332", { password: other.sip_password });
			await phones.do("dial", "332", { number: "531" });
			await phones.do("rings", "331");
			await phones.do("answer", "331");

			const window = await Window.open(browser, server);
			await window.signIn();
			await window.go("/devices/sip?q=331");
			await window.page.getByText("In a call").first().waitFor();
			await window.page.getByRole("button", { name: "Delete 331" }).click();
			await window.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
			const done = window.page.getByText("331 is deleted.");
			const again = window.page.getByRole("dialog").getByRole("button", { name: "Delete" });
			await done.or(again).first().waitFor();
			if (!(await done.isVisible())) await again.click();
			await done.waitFor();
			expect((await server.api<{ items: unknown[] }>("GET", "/devices?q=331")).items).toEqual([]);
			const { items: calls } = await server.api<{ items: { state: string }[] }>("GET", "/calls");
			expect(calls.map((call) => call.state)).toEqual(["talking"]);
			await phones.do("hang_up", "332");
			await expect
				.poll(async () => (await server.api<{ items: { dialled: string; outcome: string }[] }>("GET", "/call-records")).items[0], { timeout: 60_000 })
				.toMatchObject({ dialled: "531", outcome: "answered" });
			expect(window.faults).toEqual([]);
			await window.close();
		} finally {
			await phones.close();
		}
	});
});
