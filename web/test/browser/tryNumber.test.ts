// Manage → Numbers → Try a number: the decisions on its way, and what is wrong with the question.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, window: Window;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	// The carrier is the loopback address, where nobody is.
	const trunk = await server.api<{ id: string }>("POST", "/trunks", { title: "Carrier", host: "127.0.0.9", caller_id: "01444 200200" });
	await server.api("POST", "/routes", { trunk_id: trunk.id });
	window = await Window.open(browser, server);
	await window.signIn();
	await window.page.getByRole("link", { name: "Users", exact: true }).first().waitFor();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

describe("a number that is tried", () => {
	it("inside leads to the extension and its ring plan", async () => {
		const { page } = window;
		await window.go("/numbers");
		await page.getByRole("link", { name: "Try a number" }).click();
		await page.locator("[name=number]").fill("510");
		await page.locator("[name=as]").fill("510");
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText("Jane Doe (510) is called.").waitFor();
		await page.getByText("It is an extension.").waitFor();
		await page.getByRole("link", { name: "Who would ring" }).waitFor();
		expect(await window.violations()).toEqual([]);
	});

	it("as an extension that nobody has is refused at its field", async () => {
		const { page } = window;
		await page.locator("[name=as]").fill("999");
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText("Nobody has the extension 999.").waitFor();
	});

	it("outside tells the way out and why the trunk is shown that number", async () => {
		const { page } = window;
		await page.locator("[name=number]").fill("01444 999999");
		await page.locator("[name=as]").fill("510");
		await page.getByRole("button", { name: "Try it" }).click();
		const way = page.getByRole("row").filter({ hasText: "Carrier" });
		await way.getByText("+441444200200").waitFor();
		await way.getByText("The trunk's number: the user has none.").waitFor();
		expect(await window.violations()).toEqual([]);
	});

	it("that a carrier brings tells who is called and what phones show", async () => {
		const { page } = window;
		await page.getByText("A call comes in").click();
		await page.getByRole("combobox", { name: "Over the trunk" }).click();
		await page.getByRole("option", { name: "Carrier", exact: true }).click();
		await page.locator("[name=number]").fill("+441444777777");
		await page.locator("[name=caller]").fill("01444 123456");
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText("The caller's number is one of ours").waitFor();
		await page.getByText("It is no public number of ours.").waitFor();
		expect(await window.violations()).toEqual([]);
	});
});
