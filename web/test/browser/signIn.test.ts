// Signing in, the first change of password, and that a page shows, loads and runs nothing that it should not.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PASSWORD, Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser;
beforeAll(async () => {
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
});

describe("the first sign-in", () => {
	it("refuses a wrong password, asks for a new one, and then shows the users", async () => {
		const window = await Window.open(browser, server);
		const { page } = window;
		await window.signIn("admin", "a wrong one");
		await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
		expect(await window.violations()).toEqual([]);

		await window.signIn("admin", server.password);
		await page.getByRole("heading", { name: "Choose a password" }).waitFor();
		expect(await window.violations()).toEqual([]);
		await window.go("/users"); // no way around it
		await page.getByRole("heading", { name: "Choose a password" }).waitFor();
		const password = (name: string) => page.getByLabel(name, { exact: true });
		await password("Present password").fill(server.password);
		await password("New password").fill("short");
		await password("New password again").fill("shorter");
		await page.getByRole("button", { name: "Change the password" }).click();
		await page.getByText("The two are not the same.").waitFor();
		await password("New password").fill(PASSWORD);
		await password("New password again").fill(PASSWORD);
		await page.getByRole("button", { name: "Change the password" }).click();
		await page.getByRole("link", { name: "Users", exact: true }).first().waitFor();
		await window.go("/users");
		await page.getByRole("link", { name: "Jane Doe", exact: true }).waitFor();
		expect(window.faults).toEqual([]);
		await window.close();
	});

	it("keeps to the address that was asked for, and signs out", async () => {
		const window = await Window.open(browser, server);
		await window.go("/devices/external");
		await window.page.getByLabel("Sign-in name").fill("admin");
		await window.page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
		await window.page.keyboard.press("Enter");
		await window.page.getByRole("heading", { name: "External numbers" }).waitFor();
		await window.page.getByRole("button", { name: "Account of Administrator" }).click();
		await window.page.getByRole("menuitem", { name: "Sign out" }).click();
		await window.page.getByRole("button", { name: "Sign in" }).waitFor();
		await window.close();
	});

	it("speaks Czech, and remembers it", async () => {
		const window = await Window.open(browser, server);
		await window.go("/");
		await window.page.getByRole("button", { name: "Language" }).click();
		await window.page.getByRole("menuitem", { name: "Čeština" }).click();
		await window.page.getByRole("button", { name: "Přihlásit se" }).waitFor();
		await window.page.reload();
		await window.page.getByRole("button", { name: "Přihlásit se" }).waitFor();
		expect(await window.page.locator("html").getAttribute("lang")).toBe("cs");
		await window.close();
	});

	it("draws nothing that is written into the data as HTML or script", async () => {
		await server.prepareAgain();
		const hostile = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;
		await server.api("POST", "/devices", { kind: "sip_phone", number: "666", title: hostile.slice(0, 100), description: hostile });
		const window = await Window.open(browser, server);
		await window.signIn();
		await window.go("/devices/sip?q=666");
		await window.page.getByText("<img src=x onerror", { exact: false }).first().waitFor();
		expect(await window.page.title()).not.toContain("broken");
		expect(await window.page.locator("img[src=x]").count()).toBe(0);
		expect(window.faults).toEqual([]);
		await window.close();
	});
});
