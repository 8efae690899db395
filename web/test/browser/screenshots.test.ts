// Not a test: draws every page into the folder that SCREENSHOTS names.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "vitest";
import { Server, Window, browserStart } from "./harness";
import { enliven } from "./shown";

const folder = process.env["SCREENSHOTS"];

describe.runIf(folder)("screenshots", () => {
	it("of every page, light, dark and on a phone", { timeout: 900_000 }, async () => {
		const into = resolve(folder as string);
		mkdirSync(into, { recursive: true });
		const [server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
		try {
			await server.prepare();
			const { pages, end } = await enliven(server, 4000);
			for (const [suffix, options] of [
				["light", { dark: false, width: 1280, height: 800 }],
				["dark", { dark: true, width: 1280, height: 800 }],
				["phone", { dark: false, width: 390, height: 844 }],
			] as const) {
				const window = await Window.open(browser, server, options);
				await window.go("/");
				await window.page.locator("h1").waitFor();
				await window.page.screenshot({ path: join(into, `sign-in-${suffix}.png`) });
				await window.context.addCookies([await server.cookieOf()]);
				for (const { name, path } of pages) {
					await window.go(path);
					await window.page.locator("h1").waitFor();
					await window.page.waitForTimeout(700); // a picture of what is there by then; events never let the network be idle
					// As high as the page is, so that what sticks to the bottom is at the bottom.
					const height = await window.page.evaluate(() => document.documentElement.scrollHeight);
					await window.page.setViewportSize({ width: options.width, height: Math.max(options.height, height) });
					await window.page.screenshot({ path: join(into, `${name}-${suffix}.png`) });
					await window.page.setViewportSize({ width: options.width, height: options.height });
				}
				await window.close();
			}
			await end();
		} finally {
			await browser.close();
			await server.close();
		}
	});
});
