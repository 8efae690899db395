// Manage → Devices: the four kinds, their lists and forms.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, window: Window;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	window = await Window.open(browser, server);
	await window.signIn();
	await window.page.getByRole("link", { name: "Users", exact: true }).first().waitFor();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

describe("devices", () => {
	it("show who has them and what they do now", async () => {
		const { page } = window;
		await window.go("/devices/sip");
		const desk = page.getByRole("row").filter({ hasText: "Jane's desk" });
		await desk.getByRole("link", { name: "Jane Doe (510)" }).waitFor();
		await desk.getByText("Not registered").waitFor();
		expect(await page.getByRole("row").filter({ hasText: "01444" }).count()).toBe(0);
		expect(await window.violations()).toEqual([]);
	});

	it("of kind SIP get a password that is shown once, with a QR code and settings to copy", async () => {
		const { page } = window;
		await window.go("/devices/sip");
		await page.getByRole("link", { name: "Add new" }).click();
		await page.locator("[name=number]").fill("340");
		await page.locator("[name=title]").fill("Lobby");
		await page.getByRole("button", { name: "Create" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByRole("img", { name: "QR code with the settings of this device" }).waitFor();
		const password = await dialog.locator("[data-secret]").first().innerText();
		await dialog.getByRole("tab", { name: "Yealink" }).click();
		await dialog.getByText("Register Name").waitFor();
		expect(await window.violations()).toEqual([]);
		await dialog.getByRole("button", { name: "Close" }).click();
		await page.getByRole("link", { name: "Lobby", exact: true }).click();
		await page.getByText("The number is the device's identity and stays as it was created.").waitFor();
		expect(await page.locator("[name=number]").getAttribute("readonly")).not.toBeNull();
		expect(await page.content()).not.toContain(password);
		await page.getByRole("button", { name: "New password" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "New password" }).click();
		await page.getByRole("dialog").getByText("can register now").waitFor();
		expect(await page.getByRole("dialog").locator("[data-secret]").first().innerText()).not.toBe(password);
		await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
	});

	it("outside show how they will be dialled before they are saved, and keep what was typed", async () => {
		const { page } = window;
		await window.go("/devices/external");
		await page.getByRole("link", { name: "Clone Jane's mobile" }).click();
		await page.getByRole("heading", { name: "New device like Jane's mobile" }).waitFor();
		await page.locator("[name=number]").fill("01444 654321");
		await page.getByTestId("dialled").getByText("Dialled as +44 1444 654321 (United Kingdom). Over Example carrier.").waitFor();
		await page.locator("[name=title]").fill("Duty phone");
		await page.locator("[name=too_soon_ms]").fill("2000");
		await page.locator("[name=too_late_ms][placeholder='As for the site: 19000 ms']").waitFor();
		await page.getByRole("button", { name: "Create" }).click();
		await page.getByText("Duty phone is created.").waitFor();
		const row = page.getByRole("row").filter({ hasText: "Duty phone" });
		await row.getByText("01444 654321").waitFor();
		await row.getByText("+441444654321").waitFor();
		const { items } = await server.api<{ items: { too_soon_ms: number | null; too_late_ms: number | null }[] }>("GET", "/devices?q=duty");
		expect(items[0]).toMatchObject({ too_soon_ms: 2000, too_late_ms: null });
	});

	it("say in the form what the server refuses", async () => {
		const { page } = window;
		await window.go("/devices/external/new");
		await page.locator("[name=number]").fill("01444 123456");
		await page.getByRole("button", { name: "Create" }).click();
		await page.locator("[name=number][aria-invalid=true]").waitFor();
		await page.locator("[name=number]").fill("abc");
		await page.getByRole("button", { name: "Create" }).click();
		await page.locator("[name=number][aria-invalid=true]").waitFor();
		await page.locator("[name=number]").fill("");
	});

	it("are found, sorted and narrowed, and the address says how", async () => {
		const { page } = window;
		await window.go("/devices/sip");
		await page.getByRole("link", { name: "Lobby", exact: true }).waitFor();
		await page.keyboard.press("/");
		await page.keyboard.type("lobby");
		await page.waitForURL(/q=lobby/);
		await page.getByText("1–1 of 1").waitFor();
		await page.getByRole("button", { name: "Clear", exact: true }).click();
		await page.getByRole("button", { name: "Title" }).click();
		await page.waitForURL(/sort=title/);
		expect(await page.getByRole("columnheader", { name: "Title" }).getAttribute("aria-sort")).toBe("ascending");
		await window.go("/devices/sip?q=nothing-like-it");
		await page.getByRole("button", { name: "Clear search and filters" }).click();
		await page.getByText("Lobby").waitFor();
	});

	it("that somebody has are deleted only after their holder was named", async () => {
		const { page } = window;
		await window.go("/devices/sip");
		await page.getByRole("button", { name: "Delete Jane's desk" }).click();
		await page.getByRole("dialog").getByText("Jane Doe (510) has it now.").waitFor();
		await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
		await page.getByRole("link", { name: "Jane's desk", exact: true }).waitFor();
		await page.getByRole("button", { name: "Delete Jane's desk" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
		const done = page.getByText("Jane's desk is deleted.");
		const again = page.getByRole("dialog").getByRole("button", { name: "Delete" });
		await done.or(again).first().waitFor();
		if (!(await done.isVisible())) await again.click();
		await done.waitFor();
	});

	it("of kinds that there are none of say what to do next", async () => {
		for (const [path, text] of [
			["/devices/teams", "No Teams user yet"],
			["/devices/webrtc", "No browser can register yet"],
			["/numbers", "Nobody can be called from outside yet"],
		] as const) {
			await window.go(path);
			await window.page.getByRole("heading", { name: text }).waitFor();
			expect(await window.page.getByRole("link", { name: "Add new" }).count()).toBeGreaterThan(0);
			expect(await window.violations()).toEqual([]);
		}
	});

	it("did nothing that the policy forbids, and asked nobody but the server", () => expect(window.faults).toEqual([]));
});
