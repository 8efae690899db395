// The page of MS Teams devices: the trunk that they are reached over, and how it is, while it changes. SCREENSHOTS: a folder for pictures.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, TeamsTargets, Window, browserStart } from "./harness";

let teams: TeamsTargets, server: Server, browser: Browser, window: Window, device: string, trunk: string;
const pictures = process.env["SCREENSHOTS"];

async function draw(name: string): Promise<void> {
	if (!pictures) return;
	mkdirSync(pictures, { recursive: true });
	await window.page.screenshot({ path: join(pictures, `${name}.png`) });
}

const row = () => window.page.getByRole("row").filter({ hasText: "+441632960111" });
const trunkMake = async (title: string, more: object) =>
	(await server.api<{ id: string }>("POST", "/trunks", { title, profile: "teams", own_host: "sbc.example.com", transport: "tls", host: "127.0.0.1", ...more })).id;

beforeAll(async () => {
	teams = await TeamsTargets.start(2);
	[server, browser] = await Promise.all([Server.start({ media: teams.settings }), browserStart()]);
	await server.prepare();
	device = (await server.api<{ id: string }>("POST", "/devices", { kind: "teams", number: "+441632960111", title: "Bob in Teams", teams_user: "bob@example.com" })).id;
	window = await Window.open(browser, server, { width: 1440 });
	await window.signIn();
	await window.page.getByRole("link", { name: "Users", exact: true }).first().waitFor();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
	teams?.close();
});

describe("an MS Teams device", () => {
	it("says that there is no trunk, or that it is off", async () => {
		await window.go("/devices/teams");
		await row().getByText("No trunk to MS Teams").waitFor();
		await window.page.getByRole("columnheader", { name: "Trunk" }).waitFor();
		await trunkMake("Teams of old", { enabled: false });
		await row().getByRole("link", { name: "Teams of old" }).waitFor();
		await row().getByText("Off", { exact: true }).waitFor();
		expect(await window.violations()).toEqual([]);
	});

	it("shows its trunk and how that is, live", { timeout: 180_000 }, async () => {
		trunk = await trunkMake("Teams", { targets: teams.targets, options_interval_s: 5 });
		await row().getByRole("link", { name: "Teams", exact: true }).waitFor();
		await row().getByText("In service", { exact: true }).waitFor();
		await draw("in-service");
		teams.end();
		await row().getByText("Partly in service").waitFor();
		await draw("partly");
		await trunkMake("Teams too", { targets: "127.0.0.1:9", options_interval_s: 0 });
		await row().getByText("Otherwise over Teams too").waitFor();
		expect(await window.violations()).toEqual([]);
		teams.end();
		await row().getByRole("link", { name: "Teams too", exact: true }).waitFor();
		await row().getByText("Otherwise over Teams", { exact: true }).waitFor();
		await row().getByText("Not known").waitFor();
		await draw("out-of-service");
	});

	it("leads from its own page to the trunk", async () => {
		const { page } = window;
		await server.api("DELETE", `/trunks/${Number(trunk) + 1}`);
		await window.go(`/devices/teams/${device}`);
		await page.getByText("Reached over").waitFor();
		await page.getByText("Out of service", { exact: true }).waitFor();
		expect(await window.violations()).toEqual([]);
		await draw("device");
		await page.getByRole("link", { name: "Teams", exact: true }).click();
		await page.waitForURL(new RegExp(`/trunks/${trunk}$`));
		await page.getByRole("heading", { name: "Teams" }).first().waitFor();
	});

	it("did nothing that the policy forbids, and asked nobody but the server", () => expect(window.faults).toEqual([]));
});
