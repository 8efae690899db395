// What administrators do to the system itself: settings, tokens, and the log of all that was changed.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, window: Window;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	window = await Window.open(browser, server);
	await window.context.addCookies([await server.cookieOf()]);
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

describe("the system", () => {
	it("logs a change with both values, undoes it, and refuses once something newer stands in the way", async () => {
		const { page } = window;
		await server.api("PATCH", "/users/2", { title: "Jane Smith" });
		await server.api("PATCH", "/users/2", { call_limit: 7 });
		await window.go("/audit");
		const entry = page.locator("[data-audit]").filter({ hasText: "Jane Smith" }).filter({ hasText: "title" });
		await entry.getByRole("cell", { name: "Jane Doe" }).waitFor();
		await entry.getByRole("cell", { name: "Jane Smith" }).waitFor();
		await entry.getByRole("button", { name: "Undo" }).click();
		await page.getByRole("dialog").getByText("title becomes Jane Doe").waitFor();
		await page.getByRole("dialog").getByRole("button", { name: "Undo" }).click();
		await page.getByText("It is as before.").waitFor();
		expect((await server.api<{ title: string; call_limit: number }>("GET", "/users/2")).title).toBe("Jane Doe");
		await server.api("PATCH", "/users/2", { call_limit: 8 });
		await page.locator("[data-audit]").filter({ hasText: "call_limit" }).filter({ has: page.getByRole("cell", { name: "7", exact: true }) }).last().getByRole("button", { name: "Undo" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Undo" }).click();
		await page.getByText(/was changed since/).first().waitFor();
		expect((await server.api<{ call_limit: number }>("GET", "/users/2")).call_limit).toBe(8);
	});

	it("shows what a colleague has changed in the settings before anything is overwritten", async () => {
		const { page } = window;
		await window.go("/settings");
		const life = page.getByRole("textbox", { name: "A sign-in lasts" });
		await life.fill("60");
		const told = page.waitForResponse((response) => response.url().endsWith("/settings") && response.request().method() === "GET");
		await server.api("PATCH", "/settings", { lease_s: 7200 });
		await told;
		await expect.poll(() => life.inputValue()).toMatch(/^60/);
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("120 min").first().waitFor();
		await page.getByRole("button", { name: "Save mine over it" }).click();
		await page.getByText("The settings are saved.").waitFor();
		expect(await server.api("GET", "/settings")).toMatchObject({ session_life_s: 3600, lease_s: 7200 });
		await window.go("/audit");
		await page.locator("[data-audit]").filter({ hasText: "session_life_s" }).getByText(/^Changed settings/).waitFor();
	});

	it("says on the dashboard what is wrong and where to mend it", async () => {
		const { page } = window;
		await window.go("/overview");
		const trouble = page.locator("[data-code=devices_unregistered]");
		await trouble.getByRole("link", { name: /330/ }).click();
		await page.getByRole("heading", { name: "Jane's desk" }).waitFor();
		await window.go("/overview");
		await page.locator("[data-code=users_unreachable]").getByRole("link", { name: /Bob Roe/ }).waitFor();
		expect(await window.violations()).toEqual([]);
	});

	it("makes a token that is shown once and does what its scopes say", async () => {
		const { page } = window;
		await window.go("/tokens");
		await page.getByRole("button", { name: "Add new" }).first().click();
		await page.getByRole("dialog").getByLabel("Title").fill("Monitoring");
		await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
		const secret = await page.getByRole("dialog").locator("[data-secret]").first().innerText();
		await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
		await page.getByRole("cell", { name: "Monitoring", exact: true }).waitFor();
		const asking = (method: string, path: string) => fetch(`${server.base}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${secret}` } });
		expect((await asking("GET", "/users")).status).toBe(200);
		expect((await asking("DELETE", "/users/2")).status).toBe(403);
		expect(await (await asking("GET", "/audit?limit=200")).text()).not.toContain(secret);
	});

	it("did nothing that the policy forbids", () => expect(window.faults).toEqual([]));
});
