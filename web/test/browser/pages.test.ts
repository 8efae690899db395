// Every page, in light and dark, on a desk and on a phone: no violation that axe finds, and nothing wider than the screen.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
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

const desk = { width: 1280, height: 900 },
	phone = { width: 390, height: 844 };

// At the same time: each waits for the server and the browser as well.
describe.concurrent.each([
	["light, English, on a phone and then on a desk", { dark: false, language: "en" as const }, [phone, desk]],
	["dark, Czech, on a desk", { dark: true, language: "cs" as const }, [desk]],
])("%s", (_, options, sizes) => {
	it("has no violations", { timeout: 600_000 }, async ({ expect }) => {
		const window = await Window.open(browser, server, { ...options, ...sizes[0] });
		await window.context.addCookies([await server.cookieOf()]);
		const found: string[] = [];
		for (const { path } of alive.pages) {
			for (const [at, size] of sizes.entries()) {
				await window.page.setViewportSize(size);
				if (at === 0) await window.go(path);
				await window.page.waitForFunction(() => document.querySelector("h1"));
				found.push(...(await window.violations()).map((each) => `${path}, ${size.width} pixels: ${each}`));
				const wider = await window.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
				if (wider > 0) found.push(`${path}: ${wider} pixels wider than a screen of ${size.width}`);
			}
		}
		expect(found).toEqual([]);
		expect(window.faults).toEqual([]);
		await window.close();
	});
});
