// Manage → Users: add, clone, edit, lock, conflict, ring plan by mouse and keyboard, delete.
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

interface List<T> {
	items: T[];
}
const userOf = async (extension: string) =>
	(await server.api<List<{ id: string; title: string; extension: string; turns: { device_id: string; start_s: number; ring_s: number }[] }>>("GET", `/users?extension=${extension}`)).items[0];

describe("users", () => {
	it("are added with a password that is shown once", async () => {
		const { page } = window;
		await window.go("/users");
		await page.getByRole("link", { name: "Add new" }).click();
		await page.locator("[name=title]").fill("Ann Noe");
		await page.locator("[name=extension]").fill("1");
		await page.locator("[name=name]").fill("ann");
		await page.getByRole("button", { name: "Create" }).click();
		await page.locator("[name=extension][aria-invalid=true]").waitFor();
		await page.locator("[name=extension]").fill("520");
		await page.getByRole("button", { name: "Create" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("The password is shown only this once.").waitFor();
		const password = await dialog.locator("[data-secret]").innerText();
		expect(password.length).toBeGreaterThan(9);
		await dialog.getByRole("button", { name: "I have it" }).click();
		await page.getByRole("heading", { name: "Ann Noe" }).waitFor();
		expect(await page.content()).not.toContain(password);
		const agent = await Window.open(browser, server);
		await agent.signIn("ann", password);
		await agent.page.getByRole("heading", { name: "Choose a password" }).waitFor();
		await agent.close();
	});

	it("show the ring plan, which is changed by keys, mouse and typing, and told in words", async () => {
		const { page } = window;
		const jane = await userOf("510");
		await window.go(`/users/${jane?.id}`);
		const story = page.getByTestId("story");
		await story.getByText("Jane's desk, Jane's softphone, and Jane's mobile ring at once; after 20 s the caller hears busy.").waitFor();

		const mobile = page.getByRole("slider", { name: "When Jane's mobile starts" });
		await mobile.focus();
		for (let i = 0; i < 2; i++) await page.keyboard.press("PageUp");
		await story.getByText("after 10 s Jane's mobile rings too").waitFor();
		const ring = page.getByRole("slider", { name: "How long Jane's softphone rings" });
		await ring.scrollIntoViewIfNeeded();
		const box = await ring.boundingBox();
		if (!box) throw new Error("no bar");
		await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
		await page.mouse.down();
		await page.mouse.move(box.x - 60, box.y + box.height / 2, { steps: 5 });
		await page.mouse.up();
		const dragged = Number(await ring.getAttribute("aria-valuenow"));
		expect(dragged).toBeLessThan(20);
		await page.getByRole("textbox", { name: "Ring, Jane's desk" }).fill("12");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Jane Doe is saved.").waitFor();
		const plan = await server.api<{ turns: { start_s: number; ring_s: number }[] }>("GET", `/users/${jane?.id}/ring-plan`);
		expect(plan.turns.map(({ start_s, ring_s }) => [start_s, ring_s])).toEqual([[0, 12], [0, dragged], [10, 20]]);

		await page.getByText("In sequence", { exact: true }).click();
		await page.getByRole("button", { name: "Move Jane's mobile up" }).click();
		await story.getByText(/Jane's desk rings at once; after 12 s Jane's mobile rings instead; after 32 s Jane's softphone rings instead/).waitFor();
		expect(await window.violations()).toEqual([]);
		await page.getByRole("link", { name: "Users", exact: true }).first().click();
		await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click(); // not saved: asked first
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Jane Doe is saved.").first().waitFor();
	});

	it("lock the extension while somebody is signed in, and open it when the session is ended", async () => {
		const { page } = window;
		const ann = await userOf("520");
		await server.api("PATCH", `/users/${ann?.id}`, { password: "another long one" });
		const agent = await Window.open(browser, server);
		await agent.signIn("ann", "another long one");
		await agent.page.getByRole("heading", { name: "Choose a password" }).waitFor();
		await window.go(`/users/${ann?.id}`);
		await page.getByText("Locked while the user is signed in. End the session first.").first().waitFor();
		expect(await page.locator("[name=extension]").getAttribute("readonly")).not.toBeNull();
		await page.getByRole("button", { name: "End the session" }).click();
		await page.getByRole("dialog").getByText("They are signed out everywhere, at once.").waitFor();
		await page.getByRole("dialog").getByRole("button", { name: "End the session" }).click();
		await page.locator("[name=extension]:not([readonly])").waitFor();
		await page.locator("[name=extension]").fill("521");
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Ann Noe is saved.").waitFor();
		expect((await userOf("521"))?.title).toBe("Ann Noe");
		await agent.close();
	});

	it("show what somebody else has changed in the meantime, before anything is overwritten", async () => {
		const { page } = window;
		const ann = await userOf("521");
		await window.go(`/users/${ann?.id}`);
		await page.locator("[name=call_limit]").fill("5");
		await server.api("PATCH", `/users/${ann?.id}`, { title: "Ann Changed" });
		await page.getByRole("button", { name: "Save" }).click();
		const conflict = page.getByRole("alert").filter({ hasText: "Somebody else has changed this in the meantime" });
		await conflict.getByText("Ann Changed").waitFor();
		await conflict.getByRole("button", { name: "Save mine over it" }).click();
		await page.getByText("Ann Changed is saved.").waitFor();
		const after = await server.api<{ title: string; call_limit: number }>("GET", `/users/${ann?.id}`);
		expect([after.title, after.call_limit]).toEqual(["Ann Changed", 5]);
	});

	it("are cloned without taking a device from the original unless that is said", async () => {
		const { page } = window;
		await window.go("/users?q=jane");
		await page.getByRole("link", { name: "Clone Jane Doe" }).click();
		await page.getByRole("heading", { name: "New user like Jane Doe" }).waitFor();
		await page.locator("[name=title]").fill("June Doe");
		await page.locator("[name=extension]").fill("511");
		await page.locator("[name=name]").fill("june");
		await page.getByText("Share it").click();
		await page.getByRole("button", { name: "Create" }).click();
		await page.getByRole("button", { name: "I have it" }).click();
		await page.getByRole("heading", { name: "June Doe" }).waitFor();
		expect((await userOf("510"))?.turns.length).toBe(3);
		expect((await userOf("511"))?.turns.length).toBe(1);
	});

	it("are changed several at once, all or none", async () => {
		const { page } = window;
		await window.go("/users");
		for (const name of ["Jane Doe", "Bob Roe"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
		await page.getByRole("button", { name: "Edit", exact: true }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByRole("heading", { name: "Edit 2 users" }).waitFor();
		expect(await window.violations()).toEqual([]);
		await dialog.getByRole("checkbox", { name: "Calls at once" }).check();
		await dialog.getByRole("textbox", { name: "Calls at once" }).fill("5");
		await dialog.getByRole("button", { name: "Change" }).click();
		await dialog.waitFor({ state: "detached" });
		for (const extension of ["510", "512"]) expect(await userOf(extension)).toMatchObject({ call_limit: 5 });
	});

	it("are deleted after the consequences were named", async () => {
		const { page } = window;
		await window.go("/users?q=june");
		await page.getByRole("button", { name: "Delete June Doe" }).click();
		const dialog = page.getByRole("dialog");
		await dialog.getByText("Extension 511 reaches nobody any more.").waitFor();
		expect(await window.violations()).toEqual([]);
		await dialog.getByRole("button", { name: "Delete" }).click();
		// It has devices, so the server names them and is told once more.
		const again = page.getByRole("dialog").getByRole("button", { name: "Delete" });
		await Promise.race([page.getByText("June Doe is deleted.").waitFor(), again.click().then(() => page.getByText("June Doe is deleted.").waitFor())]);
		expect(await userOf("511")).toBeUndefined();
	});

	it("are found by whether a call can reach them, and so from the overview", async () => {
		const { page } = window;
		for (let at = 0; at < 7; at++)
			await server.api("POST", "/users", { name: `idle${at}`, title: `Idle ${at}`, extension: `70${at}` });
		await window.go("/users?reach=nothing&sort=-extension");
		await page.getByRole("link", { name: "Idle 6", exact: true }).waitFor();
		expect(await page.getByLabel("Can be reached").first().inputValue()).toBe("No device");
		await window.go("/users?reach=reachable");
		await page.getByRole("main").getByRole("row").nth(1).waitFor();
		expect(await page.getByRole("link", { name: "Idle 6", exact: true }).count()).toBe(0);
		expect(await window.violations()).toEqual([]);
		await window.go("/");
		await page.getByRole("link", { name: /^and \d+ more$/ }).last().click();
		await page.waitForURL(/reach=/);
	});

	it("did nothing that the policy forbids, and asked nobody but the server", () => expect(window.faults).toEqual([]));
});
