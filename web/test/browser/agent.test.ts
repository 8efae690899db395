// The navbar of somebody who is called: state, do-not-disturb, the device they pick, and what others see of it at once.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSWORD, Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, olga: Window, petr: Window;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	for (const [name, title, extension] of [
		["olga", "Olga Novak", "640"],
		["petr", "Petr Maly", "641"],
	]) {
		const { password } = await server.api<{ password: string }>("POST", "/users", { name, title, extension });
		await server.passwordChoose(name as string, password, PASSWORD);
	}
	for (const number of ["901", "902"])
		await server.api("POST", "/devices", { kind: "sip_phone", number, title: `Shared ${number}`, available_for_selection: true });
	[olga, petr] = await Promise.all([Window.open(browser, server), Window.open(browser, server)]);
	await olga.signIn("olga");
	await petr.signIn("petr");
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

const selector = (window: Window) => window.page.getByRole("button", { name: "Select a device" });
const device = (window: Window, number: string) => window.page.locator(`[data-device="${number}"]`);

describe("an agent", () => {
	it("picks a free device, and whoever looks at the list at that moment sees who has it", async () => {
		await selector(petr).click();
		await device(petr, "901").getByText("Free, not registered now").waitFor();
		await selector(olga).click();
		await device(olga, "901").click();
		await olga.page.getByRole("button", { name: "Selected device: Shared 901. Select another" }).waitFor();
		await device(petr, "901").getByText("Olga Novak (640) has it").waitFor(); // the open list, without being opened again
		expect(await device(petr, "901").isDisabled()).toBe(true);
		expect(await petr.violations()).toEqual([]);
		await device(petr, "902").click();
		await petr.page.getByRole("button", { name: "Selected device: Shared 902. Select another" }).waitFor();
	});

	it("is warned before the device is given back, and may keep it", async () => {
		await server.api("PATCH", "/settings", { lease_s: 600 });
		await olga.page.getByRole("button", { name: "Release the device" }).click();
		await selector(olga).waitFor();
		await olga.page.getByRole("button", { name: "Shared 901", exact: true }).click(); // the one they had last, at hand
		await olga.page.getByText("Your device is released in 10 minutes.").waitFor();
		await server.api("PATCH", "/settings", { lease_s: 43_200 });
		await olga.page.getByRole("button", { name: "Keep it" }).click();
		await olga.page.getByText("Your device is released").waitFor({ state: "detached" });
	});

	it("turns do-not-disturb on and off, and the directory has it", async () => {
		const quiet = async () => (await server.api<{ items: { do_not_disturb: boolean }[] }>("GET", "/users?q=olga")).items[0]?.do_not_disturb;
		await olga.page.getByRole("button", { name: /^I am:/ }).click();
		await olga.page.getByRole("switch", { name: "Do not disturb" }).click({ force: true });
		await olga.page.getByRole("button", { name: "I am: Do not disturb" }).waitFor();
		expect(await quiet()).toBe(true);
		await olga.page.getByRole("switch", { name: "Do not disturb" }).click({ force: true });
		await olga.page.getByRole("button", { name: "I am: Not reachable" }).waitFor();
		expect(await quiet()).toBe(false);
		await olga.page.keyboard.press("Escape");
	});

	it("sees it when an administrator frees the device, and sees no page of theirs", async () => {
		const admin = await Window.open(browser, server);
		await admin.context.addCookies([await server.cookieOf()]);
		await admin.go("/sign-ins");
		const selections = admin.page.getByRole("table", { name: "Selected devices" });
		await selections.getByRole("row").filter({ hasText: "Olga Novak" }).getByRole("button").click();
		await admin.page.getByRole("dialog").getByRole("button").last().click();
		await selector(olga).waitFor();
		await olga.go("/users");
		await olga.page.getByText("This page is for administrators").waitFor();
		expect(admin.faults).toEqual([]);
		await admin.close();
	});

	it("did nothing that the policy forbids", () => expect([...olga.faults, ...petr.faults]).toEqual([]));
});
