// The story from nothing to a call: devices, a cloned number, a user with a ring plan, and a real phone that calls her.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Phones, Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, phones: Phones;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start(), browserStart()]);
	await server.prepare();
	phones = Phones.start(server);
});
afterAll(async () => {
	await phones?.close();
	await browser?.close();
	await server?.close();
});

interface Call {
	state: string;
	legs: { number: string; state: string }[];
	turns: { number: string; state: string }[];
}
interface CallRecord {
	id: string;
	dialled: string;
	outcome: string;
	legs?: { number: string; outcome: string }[];
}

describe("Jane", () => {
	it("gets extension 510 and three devices in the browser, and answers a call on the second", { timeout: 900_000 }, async () => {
		const window = await Window.open(browser, server, { height: 1600 });
		const { page } = window;
		await window.signIn();

		// A trunk and a route, so that numbers outside lead somewhere. The carrier is the loopback address, where nobody is.
		const trunk = await server.api<{ id: string }>("POST", "/trunks", { title: "Carrier", host: "127.0.0.9" });
		await server.api("POST", "/routes", { trunk_id: trunk.id });

		const device = async (group: string, number: string, title: string, kind?: string): Promise<string> => {
			await window.go(`/devices/${group}/new`);
			if (kind) {
				await page.getByRole("combobox", { name: "Kind" }).or(page.getByRole("textbox", { name: "Kind" })).click();
				await page.getByRole("option", { name: kind }).click();
			}
			await page.locator("[name=number]").fill(number);
			await page.locator("[name=title]").fill(title);
			await page.getByRole("button", { name: "Create" }).click();
			if (group === "external") {
				await page.getByText(`${title} is created.`).waitFor();
				return "";
			}
			const password = await page.getByRole("dialog").locator("[data-secret]").first().innerText();
			await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
			return password;
		};
		const desk = await device("sip", "330", "Desk", "Desk phone");
		const laptop = await device("sip", "821", "Laptop", "Softphone");
		await device("external", "01444 123456", "Reception mobile");

		await page.getByRole("link", { name: "Clone Reception mobile" }).click();
		await page.locator("[name=number]").fill("01444 123457");
		await page.getByTestId("dialled").getByText("Dialled as +44 1444 123457 (United Kingdom). Over Carrier.").waitFor();
		await page.locator("[name=title]").fill("Mobile");
		await page.getByRole("button", { name: "Create" }).click();
		await page.getByText("Mobile is created.", { exact: true }).waitFor();

		await window.go("/users/new");
		await page.locator("[name=title]").fill("Jane Doe");
		await page.locator("[name=extension]").fill("510");
		await page.locator("[name=name]").fill("jane");
		for (const number of ["123457", "330", "821"]) {
			await page.getByPlaceholder("Search by number or title").fill(number);
			await page.getByRole("option").filter({ hasText: number }).click();
		}
		await page.getByRole("button", { name: "Move Desk up" }).click();
		await page.getByRole("button", { name: "Move Laptop up" }).click();
		await page.getByRole("textbox", { name: "Start, Mobile" }).fill("10");
		await page.getByTestId("story").getByText("Desk and Laptop ring at once; after 10 s Mobile rings too; after 20 s Desk and Laptop stop; after 30 s the caller hears busy.").waitFor();
		await page.getByRole("button", { name: "Create" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "I have it" }).click();
		await page.getByRole("heading", { name: "Jane Doe" }).waitFor();

		// Bob calls from a real phone.
		const bob = await server.api<{ id: string; sip_password: string }>("POST", "/devices", { kind: "softphone", number: "822" });
		const caller = await server.api<{ id: string }>("POST", "/users", { name: "bob", title: "Bob Roe", extension: "512", password: "a long password" });
		await server.api("PUT", `/users/${caller.id}/ring-plan`, { strategy: "at_once", turns: [{ device_id: bob.id }] });
		await phones.do("register", "330", { password: desk });
		await phones.do("register", "821", { password: laptop });
		await phones.do("register", "822", { password: bob.sip_password });
		await window.go("/devices/sip");
		await page.getByRole("row").filter({ hasText: "Desk" }).getByText("Ready").first().waitFor();

		await phones.do("dial", "822", { number: "510" });
		await phones.do("rings", "330");
		await phones.do("rings", "821");
		const { items: calls } = await server.api<{ items: Call[] }>("GET", "/calls");
		expect(calls[0]?.turns.map((turn) => [turn.number, turn.state]).slice(0, 2)).toEqual([["330", "ringing"], ["821", "ringing"]]);
		// Her bars ring, live: the two phones do, the mobile waits for its time or is tried.
		await window.go("/calls");
		const call = page.locator("[data-call]");
		await call.filter({ hasText: "Bob Roe → Jane Doe" }).waitFor();
		await call.getByRole("listitem").filter({ hasText: "Desk" }).locator("[data-outcome=ringing]").first().waitFor();
		await call.getByRole("listitem").filter({ hasText: "Laptop" }).locator("[data-outcome=ringing]").first().waitFor();
		expect(await window.violations()).toEqual([]);
		await phones.do("answer", "821");
		await call.getByText(/^Talking/).first().waitFor();
		await window.go("/devices/sip");
		await page.getByRole("row").filter({ hasText: "Laptop" }).getByText("In a call").first().waitFor();
		await phones.do("hang_up", "822");

		const found = await expect
			.poll(async () => (await server.api<{ items: CallRecord[] }>("GET", "/call-records")).items.find((each) => each.dialled === "510"), { timeout: 30_000 })
			.toBeTruthy()
			.then(async () => (await server.api<{ items: CallRecord[] }>("GET", "/call-records")).items.find((each) => each.dialled === "510"));
		const record = await server.api<CallRecord>("GET", `/call-records/${found?.id}`);
		expect(record.outcome).toBe("answered");
		expect(Object.fromEntries((record.legs ?? []).map((leg) => [leg.number, leg.outcome]))).toMatchObject({ "330": "answered_elsewhere", "821": "answered" });

		// The record and its picture.
		await window.go("/call-records?q=510");
		await page.getByRole("table").getByRole("link").first().click();
		await page.waitForURL(new RegExp(`/call-records/${record.id}$`));
		await page.getByRole("listitem").filter({ hasText: "Laptop" }).locator("[data-outcome=answered]").first().waitFor();
		await page.getByRole("listitem").filter({ hasText: "Desk" }).locator("[data-outcome=answered_elsewhere]").first().waitFor();
		expect(await window.violations()).toEqual([]);
		expect(window.faults).toEqual([]);
		await window.close();
	});
});
