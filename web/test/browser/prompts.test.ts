// System → Prompts, and the recorded name of a user: uploaded, listened to, taken away; what is wrong is said.
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server, Window, browserStart } from "./harness";

let server: Server, browser: Browser, window: Window, folder: string;

// A sine of 440 Hz, 16-bit PCM.
function recording(seconds: number, rate = 8000): string {
	const samples = Math.round(seconds * rate);
	const wav = Buffer.alloc(44 + 2 * samples);
	wav.write("RIFF", 0);
	wav.writeUInt32LE(36 + 2 * samples, 4);
	wav.write("WAVEfmt ", 8);
	wav.writeUInt32LE(16, 16);
	wav.writeUInt16LE(1, 20);
	wav.writeUInt16LE(1, 22);
	wav.writeUInt32LE(rate, 24);
	wav.writeUInt32LE(2 * rate, 28);
	wav.writeUInt16LE(2, 32);
	wav.writeUInt16LE(16, 34);
	wav.write("data", 36);
	wav.writeUInt32LE(2 * samples, 40);
	for (let at = 0; at < samples; at++) wav.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * 440 * at) / rate)), 44 + 2 * at);
	const path = join(folder, `${seconds}-${rate}.wav`);
	writeFileSync(path, wav);
	return path;
}

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "carillon-recordings-"));
	[server, browser] = await Promise.all([Server.start({ example: true }), browserStart()]);
	await server.prepare();
	window = await Window.open(browser, server);
	await window.signIn();
	await window.page.getByRole("link", { name: "Users", exact: true }).first().waitFor();
});
afterAll(async () => {
	await browser?.close();
	await server?.close();
	rmSync(folder, { recursive: true });
});

describe("prompts", () => {
	it("are listed, and each can be heard", async () => {
		const { page } = window;
		await window.go("/prompts");
		await page.getByRole("row").filter({ hasText: "Press 1 to take it, 2 to refuse." }).getByText("As shipped").waitFor();
		const heard = page.waitForResponse((response) => response.url().endsWith("/prompts/en-press/recording"));
		await page.getByRole("button", { name: "Listen: Press 1 to take it" }).click();
		expect((await heard).headers()["content-type"]).toBe("audio/wav");
		expect(await window.violations()).toEqual([]);
	});

	it("take a recording, which is restored again", async () => {
		const { page } = window;
		const row = page.getByRole("row").filter({ has: page.getByRole("cell", { name: "five", exact: true }) });
		await row.locator("input[type=file]").setInputFiles(recording(1.5, 48000));
		await row.getByText("Recorded").waitFor();
		await row.getByText("1.5 s, at most 2 s").waitFor();
		await row.getByRole("button", { name: "Restore" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
		await row.getByText("As shipped").waitFor();
	});

	it("say what is wrong with a file", async () => {
		const { page } = window;
		const row = page.getByRole("row").filter({ has: page.getByRole("cell", { name: "five", exact: true }) });
		await row.locator("input[type=file]").setInputFiles(recording(2.5));
		await page.getByText("This recording may last 2 seconds at most.").waitFor();
		await row.getByText("As shipped").waitFor();
	});
});

describe("the name of a user", () => {
	it("is recorded and deleted on their page", async () => {
		const { page } = window;
		await window.go("/users");
		await page.getByRole("link", { name: "Jane Doe" }).first().click();
		await page.getByText("None: the extension is read out.").waitFor();
		await page.locator("input[type=file]").setInputFiles(recording(1.2));
		await page.getByRole("button", { name: "Listen: Jane Doe" }).waitFor();
		expect(await window.violations()).toEqual([]);
		await page.getByRole("button", { name: "Delete: Jane Doe" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
		await page.getByText("None: the extension is read out.").waitFor();
	});
});
