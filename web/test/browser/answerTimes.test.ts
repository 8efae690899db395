// The page of an external number: how long it rang until it was answered, and the times that are proposed from that.
import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Schemas } from "../../src/api/client";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

const bucket = (second: number, counts: Partial<Schemas["AnswerTimes"]["buckets"][number]>) => ({
	from_ms: second * 1000,
	taken: 0,
	confirmed: 0,
	too_soon: 0,
	not_confirmed: 0,
	too_late: 0,
	refused: 0,
	...counts,
});
const taken = [0, 0, 1, 3, 6, 8, 7, 5, 4, 2, 2, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
// Written down as the server would say it: so many calls would take too long to make.
const times: Schemas["AnswerTimes"] = {
	answers: 53,
	answers_needed: 20,
	too_soon_ms: 1500,
	too_late_ms: 19000,
	bucket_ms: 1000,
	buckets: taken.map((count, second) => bucket(second, { taken: count, ...(second === 0 && { too_soon: 7 }), ...(second === 4 && { refused: 2 }) })),
	too_soon: { ms: 1300, reason: "voicemail", answers: 7, from_ms: 200, to_ms: 800, sentence: "" },
	too_late: { ms: 24000, reason: "voicemail", answers: 5, from_ms: 25000, to_ms: 25400, sentence: "" },
};

describe("answer times", () => {
	it.each([{ dark: false }, { dark: true }])("are drawn, and what is proposed is taken over (dark: $dark)", async ({ dark }) => {
		const window = await Window.open(browser, server, { dark });
		const { page } = window;
		await page.route("**/api/v1/devices/*/answer-times", (route) => route.fulfill({ json: times }));
		await window.signIn();
		await window.go("/devices/external");
		await page.getByRole("link", { name: "Jane's mobile", exact: true }).click();
		const card = page.getByTestId("answer-times");
		await card.getByRole("img", { name: "Histogram of 53 answers by the seconds until each" }).waitFor();
		await card.getByText("7 answers came after 0.2 to 0.8 s: a voicemail, when the phone is off.").waitFor();
		await card.getByText("5 answers came after 25 to 25.4 s, and few around that: the voicemail's own time.").waitFor();
		expect(await card.locator("rect").count()).toBe(taken.filter(Boolean).length + 2);
		expect(await window.violations()).toEqual([]);
		if (process.env["SHOTS"]) {
			mkdirSync(process.env["SHOTS"], { recursive: true });
			await card.screenshot({ path: `${process.env["SHOTS"]}/answer-times-${dark ? "dark" : "light"}.png` });
		}
		await card.getByRole("button", { name: "Use the proposed times" }).click();
		expect(await page.locator("[name=too_soon_ms]").inputValue()).toBe("1300 ms");
		expect(await page.locator("[name=too_late_ms]").inputValue()).toBe("24000 ms");
		await page.getByRole("button", { name: "Discard" }).first().click({ timeout: 2000 }).catch(() => undefined);
		await window.close();
	});

	it("are asked for once there are enough of them", async () => {
		const window = await Window.open(browser, server);
		await window.signIn();
		await window.go("/devices/external");
		await window.page.getByRole("link", { name: "Jane's mobile", exact: true }).click();
		await window.page.getByTestId("answer-times").getByText("0 answers so far. From 20 on, times are proposed here.").waitFor();
		await window.close();
	});
});
