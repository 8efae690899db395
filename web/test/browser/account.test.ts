// One's own account: the PIN, the other sessions, and leaving everywhere at once.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSWORD, Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	const user = await server.api<{ password: string }>("POST", "/users", { name: "olga", title: "Olga Novak", extension: "640" });
	await server.passwordChoose("olga", user.password, PASSWORD);
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

describe("an agent's account", () => {
	it("takes a PIN, tells that there is one, and forgets it", async () => {
		const window = await Window.open(browser, server);
		const { page } = window;
		await window.signIn("olga");
		await page.getByRole("button", { name: "Account of Olga Novak" }).click();
		await page.getByRole("menuitem", { name: "My account" }).click();
		await page.getByText("You have no PIN").waitFor();
		await page.getByLabel("New PIN").fill("12a");
		await page.getByRole("button", { name: "Set the PIN" }).click();
		await page.getByText("A PIN has 4 to 15 digits.").waitFor();
		await page.getByLabel("New PIN").fill("4711");
		await page.getByRole("button", { name: "Set the PIN" }).click();
		await page.getByText("You have a PIN.").waitFor();
		expect((await server.api<{ items: { has_pin: boolean }[] }>("GET", "/users?q=olga")).items[0]?.has_pin).toBe(true);
		await page.getByText("Select this phone").waitFor();
		await page.getByText("*70", { exact: true }).waitFor();
		expect(await window.violations()).toEqual([]);
		await page.getByRole("button", { name: "Remove it" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Remove it" }).click();
		await page.getByText("You have no PIN").waitFor();
		expect(window.faults).toEqual([]);
		await window.close();
	});

	it("ends a session elsewhere, and then all of them", async () => {
		const [here, there] = await Promise.all([Window.open(browser, server), Window.open(browser, server)]);
		await here.signIn("olga");
		await there.signIn("olga");
		await here.page.getByRole("heading", { name: "Hello, Olga Novak" }).waitFor();
		await there.page.getByRole("heading", { name: "Hello, Olga Novak" }).waitFor();
		await here.go("/account");
		const sessions = here.page.getByRole("table", { name: "Where you are signed in" });
		await sessions.getByText("Here", { exact: true }).waitFor();
		const others = sessions.getByRole("button", { name: "Sign out there" });
		await others.first().waitFor();
		while ((await others.count()) > 0) {
			const before = await others.count();
			await others.first().click();
			await expect.poll(() => others.count(), { timeout: 20_000 }).toBe(before - 1);
		}
		await there.go("/");
		await there.page.getByRole("button", { name: "Sign in" }).waitFor();
		await here.page.getByRole("button", { name: "Sign out everywhere" }).click();
		await here.page.getByRole("dialog").getByRole("button", { name: "Sign out everywhere" }).click();
		await here.page.getByRole("button", { name: "Sign in" }).waitFor();
		expect(here.faults).toEqual([]);
		await Promise.all([here.close(), there.close()]);
	});
});
