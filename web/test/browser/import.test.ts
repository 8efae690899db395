// Manage → Import, and the exports that it takes again.
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, window: Window;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	window = await Window.open(browser, server);
	await window.signIn();
	await window.page.getByRole("link", { name: "Import", exact: true }).waitFor();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

const csv = (text: string) => ({ name: "some.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
const choose = (text: string) => window.page.locator("input[type=file]").setInputFiles(csv(text));
const count = async (path: string) => (await server.api<{ total: number }>("GET", path)).total;

describe("an import", () => {
	it("that is tried names what is wrong by row and column, and changes nothing", async () => {
		const { page } = window;
		const before = await count("/devices");
		await window.go("/import");
		await page.getByRole("main").getByText("Devices", { exact: true }).click();
		await choose("kind,number,title\nsip_phone,901,Good\nfax,902,No such kind\nexternal,abc,No number\n");
		await page.getByRole("button", { name: "Try it" }).click();
		const table = page.getByRole("table", { name: "What is wrong" });
		await table.getByRole("row").filter({ hasText: "kind" }).first().waitFor();
		expect(await table.getByRole("row").nth(1).getByRole("cell").allInnerTexts()).toEqual(["3", "kind", expect.stringMatching(/./)]);
		expect(await table.getByRole("row").nth(2).getByRole("cell").allInnerTexts()).toEqual(["4", "number", expect.stringMatching(/./)]);
		expect(await page.getByRole("button", { name: "Import", exact: true }).isDisabled()).toBe(true);
		expect(await window.violations()).toEqual([]);
		expect(await count("/devices")).toBe(before);
	});

	it("that was right is taken, and shows the passwords that were made", async () => {
		const { page } = window;
		const before = await count("/devices");
		await choose("kind;number;title\nsip_phone;901;<b>Lobby</b>\nexternal;+441444999001;Duty\n");
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText("An import would create 2, change 0 and leave 0 as they are.").waitFor();
		expect(await count("/devices")).toBe(before);
		await page.getByRole("button", { name: "Import", exact: true }).click();
		await page.getByText("2 created, 0 changed, 0 left as they were.").waitFor();
		expect((await page.locator("[data-secret]").allInnerTexts()).length).toBe(1);
		expect(await window.violations()).toEqual([]);
		expect(await count("/devices")).toBe(before + 2);
		await window.go("/devices/sip?q=901");
		await page.getByRole("link", { name: "<b>Lobby</b>", exact: true }).waitFor(); // words, not markup
	});

	it("takes what was exported, and changes nothing by it", async () => {
		const { page } = window;
		for (const [list, table] of [["/users", "Users"], ["/devices/sip", "Devices"]] as const) {
			await window.go(list);
			const downloaded = page.waitForEvent("download");
			await page.getByRole("link", { name: "Export as CSV" }).click();
			const text = readFileSync(await (await downloaded).path(), "utf8");
			expect(text.split("\r\n").length).toBeGreaterThan(2);
			await window.go("/import");
			await page.getByRole("main").getByText(table, { exact: true }).click();
			await choose(text);
			await page.getByRole("button", { name: "Try it" }).click();
			await page.getByText(/would create 0, change 0 and leave [1-9]/).waitFor();
		}
	});

	it("of many rows goes in parts, and shows how far it is", { timeout: 120_000 }, async () => {
		const { page } = window;
		const before = await count("/devices");
		const rows = (title: string, wrong = "") => "kind,number,title\n" +
			Array.from({ length: 5200 }, (_, at) => `external,+44 1444 8${10000 + at}${at === 5100 ? wrong : ""},${title}`).join("\n") + "\n";
		await window.go("/import");
		await page.getByRole("main").getByText("Devices", { exact: true }).click();
		await choose(rows("Mobile", "x"));
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText(/^[\d,]+ of 5,200 rows$/).waitFor();
		const table = page.getByRole("table", { name: "What is wrong" });
		await table.waitFor({ timeout: 60_000 });
		expect(await table.getByRole("row").nth(1).getByRole("cell").first().innerText()).toBe("5102"); // in the whole file
		expect(await count("/devices")).toBe(before);
		await choose(rows("Mobile"));
		await page.getByRole("button", { name: "Try it" }).click();
		await page.getByText("An import would create 5200, change 0 and leave 0 as they are.").waitFor({ timeout: 60_000 });
		await page.getByRole("button", { name: "Import", exact: true }).click();
		await page.getByRole("progressbar").waitFor();
		await page.getByText("5200 created, 0 changed, 0 left as they were.").waitFor({ timeout: 60_000 });
		expect(await window.violations()).toEqual([]);
		expect(await count("/devices")).toBe(before + 5200);
	});

	it("did nothing that the policy forbids, and asked nobody but the server", () => expect(window.faults).toEqual([]));
});
