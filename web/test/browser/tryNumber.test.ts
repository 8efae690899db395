// Manage → Numbers → Try a number: the decisions on its way, and what is wrong with the question.
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
});
