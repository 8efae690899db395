// Every page, in light and dark, on a desk and on a phone: no violation that axe finds, and nothing wider than the screen.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";
import { enliven } from "./shown";

let server: Server, browser: Browser, alive: Awaited<ReturnType<typeof enliven>>;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	alive = await enliven(server);
}, 120_000);
afterAll(async () => {
	await alive?.end();
	await browser?.close();
	await server?.close();
});

describe.each([
	["light, English", { dark: false, language: "en" as const, width: 1280 }],
	["dark, Czech", { dark: true, language: "cs" as const, width: 1280 }],
	["on a phone", { dark: false, language: "en" as const, width: 390, height: 844 }],
])("%s", (_, options) => {
	it("has no violations", { timeout: 600_000 }, async () => {
		const window = await Window.open(browser, server, options);
		await window.context.addCookies([await server.cookieOf()]);
		const found: string[] = [];
		for (const { path } of alive.pages) {
			await window.go(path);
			await window.page.locator("h1").waitFor();
			found.push(...(await window.violations()).map((each) => `${path}: ${each}`));
			const wider = await window.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			if (wider > 0) found.push(`${path}: ${wider} pixels wider than the screen`);
		}
		expect(found).toEqual([]);
		expect(window.faults).toEqual([]);
		await window.close();
	});
});
