// The phone in the browser: real calls with baresip over rtpengine, with a tone measured at each end.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Certificate, Network, PASSWORD, Phones, Relay, Server, Window, browserStart } from "./harness";
import { codecs, listenIn, microphone, pageHears, soundBlock, toneFile } from "./sound";

const JANE = 700,
	DESK = 1300,
	BOB = 400,
	CAROL = 1000,
	OLGA = 1600; // hertz

let relay: Relay, server: Server, network: Network, browser: Browser, phones: Phones, jane: Window;
const tone = toneFile(JANE);
const certificate = new Certificate();
const ids = { olga: "", dora: "", browser: "" };

async function deviceAdd(kind: string, number: string, title: string): Promise<{ id: string; sip_password: string }> {
	return server.api("POST", "/devices", { kind, number, title });
}
async function userAdd(name: string, title: string, extension: string, devices: string[]): Promise<string> {
	const { id, password } = await server.api<{ id: string; password: string }>("POST", "/users", { name, title, extension });
	await server.api("PATCH", `/users/${id}`, { pickup_group: "office" });
	await holds(id, devices);
	await server.passwordChoose(name, password, PASSWORD);
	return id;
}
async function holds(user: string, devices: string[]): Promise<void> {
	await server.api("PUT", `/users/${user}/ring-plan`, { strategy: "at_once", turns: devices.map((device_id) => ({ device_id, start_s: 0, ring_s: 60 })) });
}

// Two newer ones, so that the one that the page has is worth nothing any more, as after its time.
async function passwordSpend(window: Window): Promise<void> {
	await window.page.evaluate(async () => {
		const { csrf_token } = (await (await fetch("/api/v1/session")).json()) as { csrf_token: string };
		for (let i = 0; i < 2; i++) await fetch("/api/v1/me/phone", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf_token }, body: "{}" });
	});
}

async function windowOpen(options: Parameters<typeof Window.open>[2] = {}): Promise<Window> {
	const window = await Window.open(browser, server, { by: network, permissions: ["microphone", "notifications"], ...options });
	await window.page.addInitScript(() => localStorage.setItem("carillon.phone", JSON.stringify({ clean: false, notify: true }))); // a tone is noise
	await listenIn(window);
	return window;
}

beforeAll(async () => {
	relay = await Relay.start();
	[server, browser] = await Promise.all([Server.start({ media: relay.settings, certificate }), browserStart([...microphone(tone.path), certificate.trusted, "--host-resolver-rules=MAP phone.test 127.0.0.1"])]);
	await server.prepare();
	network = await Network.start(server);
	phones = Phones.start(server);
	const [browserPhone, desk, bob, carol, olga, secured] = await Promise.all([
		deviceAdd("webrtc", "701", "Jane's browser"),
		deviceAdd("sip_phone", "702", "Jane's desk"),
		deviceAdd("softphone", "822", "Bob's"),
		deviceAdd("softphone", "823", "Carol's"),
		deviceAdd("softphone", "824", "Olga's"),
		deviceAdd("webrtc", "704", "Dora's browser"),
	]);
	[, , , ids.olga, ids.dora] = await Promise.all([
		userAdd("jane", "Jane Doe", "510", [browserPhone.id, desk.id]),
		userAdd("bob", "Bob Smith", "512", [bob.id]),
		userAdd("carol", "Carol Jones", "513", [carol.id]),
		userAdd("olga", "Olga Novak", "515", [olga.id]),
		userAdd("dora", "Dora Kay", "514", [secured.id]),
	]);
	const register = async () => {
		await phones.do("register", "822", { password: bob.sip_password, hertz: BOB, codec: "pcma,pcmu" });
		await phones.do("register", "824", { password: olga.sip_password, hertz: OLGA, codec: "opus/48000/2" });
		await phones.do("register", "823", { password: carol.sip_password, hertz: CAROL, codec: "pcmu" });
		await phones.do("register", "702", { password: desk.sip_password, hertz: DESK, codec: "g722/16000,pcma,pcmu" });
	};
	ids.browser = secured.id;
	jane = await windowOpen();
	await jane.page.route("**/api/v1/me/phone", async (route) => {
		const response = await route.fetch();
		await route.fulfill({ response, json: { ...(await response.json()), expires_at: new Date(Date.now() + 127_000).toISOString() } }); // renewed in 7 s
	}, { times: 1 });
	await Promise.all([register(), jane.signIn("jane")]);
	await line("ready");
	await panelOpen();
});
afterAll(async () => {
	await phones?.close();
	await browser?.close();
	network?.close();
	await server?.close();
	await relay?.close();
	tone.remove();
	certificate.remove();
});

const panel = (window = jane) => window.page.getByRole("dialog", { name: "Phone" });
const button = (name: string, window = jane) => panel(window).getByRole("button", { name, exact: true });
const call = (name: string) => panel().locator(`[aria-label="Call with ${name}"]:not([data-stage=over])`);
const ended = (name: string) => panel().locator(`[aria-label="Call with ${name}"][data-stage=over]`).last(); // shown for a while
const over = (name: string, timeout = 30_000) => call(name).waitFor({ state: "detached", timeout });
const line = (what: string, window = jane) => window.page.locator(`[data-line=${what}]`).waitFor();
async function panelOpen(window = jane) {
	await window.page.getByRole("button", { name: /^Phone:/ }).focus();
	await window.page.keyboard.press("Enter");
	await panel(window).waitFor();
}

// Not for the test: draws the phone into the folder that SCREENSHOTS names.
async function picture(name: string, window = jane) {
	const folder = process.env["SCREENSHOTS"];
	if (!folder) return;
	for (const colorScheme of ["light", "dark"] as const) {
		await window.page.emulateMedia({ colorScheme });
		await window.page.waitForTimeout(400);
		await window.page.screenshot({ path: `${folder}/phone-${name}-${colorScheme}.png` });
	}
	await window.page.emulateMedia({ colorScheme: "light" });
}

describe("the phone", () => {
	it("calls, holds, mutes, presses keys, and keeps the call while the network is away", async () => {
		const renewed = jane.page.waitForResponse("**/api/v1/me/phone");
		expect(await jane.violations()).toEqual([]);
		await picture("ready");
		await button("Microphone and speaker").click();
		await button("Try the microphone").click();
		await panel().getByRole("progressbar", { name: "What you say" }).waitFor();
		await vi.waitUntil(async () => Number(await panel().getByRole("progressbar").getAttribute("aria-valuenow")) > 50, { timeout: 60_000 });
		expect(await jane.violations()).toEqual([]);
		await picture("settings");
		await button("Microphone and speaker").click();
		await panel().getByLabel("Number").fill("515");
		await jane.page.keyboard.press("Enter");
		await phones.do("rings", "824");
		await jane.page.getByText("Other people's devices are not shown.").waitFor();
		await phones.do("answer", "824");
		await button("Hold").waitFor();
		await pageHears(jane, OLGA);
		expect(await codecs(jane)).toEqual({ said: "opus", heard: "opus" });

		await button("Hold").click();
		await call("515").getByText("On hold").waitFor();
		await phones.do("misses", "824", { hertz: JANE });
		await button("Hold").click();
		await phones.do("hears", "824", { hertz: JANE });
		await pageHears(jane, OLGA);

		await button("Mute").click();
		await phones.do("misses", "824", { hertz: JANE });
		await button("Mute").click();
		await phones.do("hears", "824", { hertz: JANE });

		await button("Keypad").first().click();
		await button("5").click();
		await phones.do("key", "824", { key: "5" });
		expect(await jane.violations()).toEqual([]);

		await picture("talking");

		expect((await renewed).status()).toBe(200);
		await line("ready");
		await pageHears(jane, OLGA);
		await passwordSpend(jane);
		network.cut();
		await line("lost");
		network.mend();
		await line("ready");
		await pageHears(jane, OLGA);
		await phones.do("hears", "824", { hertz: JANE });
		await panel().locator("[data-grade]").waitFor();
		await phones.do("hang_up", "824"); // which finds us where we are now
		await over("515", 3000);
	});

	it("is called, asks somebody else, and joins the two", async () => {
		await phones.do("dial", "823", { number: "510" });
		await phones.do("rings", "702");
		await call("Carol Jones").getByText("513").waitFor();
		await picture("ringing");
		expect(await jane.violations()).toEqual([]);
		await button("Answer").click();
		await pageHears(jane, CAROL);

		await call("Carol Jones").getByRole("button", { name: "Transfer" }).click();
		await panel().getByLabel("Transfer to").fill("512");
		expect(await jane.violations()).toEqual([]);
		await button("Ask first").click();
		await phones.do("rings", "822");
		await phones.do("answer", "822");
		await call("512").getByRole("button", { name: "Hold" }).waitFor();
		await pageHears(jane, BOB);
		await phones.do("misses", "823", { hertz: JANE });
		await call("Carol Jones").getByRole("button", { name: "Transfer" }).click();
		await button("Join with 512").click();
		await over("512");
		await over("Carol Jones");
		await phones.do("hears", "823", { hertz: BOB });
		await phones.do("hears", "822", { hertz: CAROL });
		await phones.do("hang_up", "823");
	});

	it("passes a call on, and moves one to the desk phone", async () => {
		await phones.do("dial", "822", { number: "510" });
		await phones.do("rings", "702");
		await button("Answer").click();
		await pageHears(jane, BOB);
		await phones.do("hears", "822", { hertz: JANE });
		await button("Move to another device").click();
		await button("Go on at Jane's desk").click();
		await phones.do("rings", "702");
		await phones.do("answer", "702");
		await over("Bob Smith");
		await phones.do("hears", "702", { hertz: BOB });
		await phones.do("hears", "822", { hertz: DESK });
		await phones.do("hang_up", "822");

		await phones.do("dial", "822", { number: "510" });
		await button("Answer").click();
		await pageHears(jane, BOB);
		await button("Transfer").click();
		await panel().getByLabel("Transfer to").fill("513");
		await button("Transfer now").click();
		await phones.do("rings", "823");
		await phones.do("answer", "823");
		await over("Bob Smith");
		await phones.do("hears", "823", { hertz: BOB });
		await phones.do("hang_up", "823");
	});

	it("talks in G.711 and G.722, through hold, a cut connection and a transfer by the other one", async () => {
		await phones.do("dial", "702", { number: "510" });
		await button("Answer").click();
		await pageHears(jane, DESK);
		expect(await codecs(jane)).toEqual({ said: "G722", heard: "G722" });
		await phones.do("hears", "702", { hertz: JANE });
		await phones.do("hang_up", "702");
		await over("Jane Doe");

		await panel().getByLabel("Number").fill("513");
		await button("Call").click();
		await phones.do("rings", "823");
		await phones.do("answer", "823");
		await pageHears(jane, CAROL);
		expect(await codecs(jane)).toEqual({ said: "PCMU", heard: "PCMU" });
		await button("Hold").click();
		await phones.do("misses", "823", { hertz: JANE });
		await button("Hold").click();
		await phones.do("hears", "823", { hertz: JANE });
		network.cut();
		await line("lost");
		network.mend();
		await line("ready");
		await pageHears(jane, CAROL);
		await phones.do("hears", "823", { hertz: JANE });

		await phones.do("transfer", "823", { number: "512" });
		await phones.do("rings", "822");
		await phones.do("answer", "822");
		await pageHears(jane, BOB);
		expect(await codecs(jane)).toEqual({ said: "PCMA", heard: "PCMA" });
		await phones.do("hears", "822", { hertz: JANE });
		await button("Hold").click();
		await call("513").getByText("On hold").waitFor();
		await button("Hold").click();
		await pageHears(jane, BOB);
		await phones.do("hang_up", "822");
		await over("513", 3000);
	});

	it("picks up a call that rings at somebody else's", async () => {
		await phones.do("dial", "823", { number: "512" });
		await phones.do("rings", "822");
		await panel().getByLabel("Number").fill("*8512");
		await button("Call").click();
		await pageHears(jane, CAROL);
		await phones.do("hears", "823", { hertz: JANE });
		await phones.do("hang_up", "823");
		await over("*8512", 3000);
	});

	it("is the same over HTTPS, and keeps a call whose device is given to somebody else", async () => {
		const dora = await windowOpen({ by: { base: server.secured } });
		await dora.signIn("dora");
		await line("ready", dora);
		await phones.do("dial", "822", { number: "514" });
		await button("Answer", dora).click();
		await pageHears(dora, BOB);
		await holds(ids.dora, []);
		await line("off", dora);
		await holds(ids.olga, [ids.browser]);
		await button("Hold", dora).click();
		await phones.do("misses", "822", { hertz: JANE });
		await button("Hold", dora).click();
		await phones.do("hears", "822", { hertz: JANE });
		await pageHears(dora, BOB);
		await phones.do("hang_up", "822");
		await dora.page.locator("[data-stage=over]").waitFor();
		await holds(ids.olga, []);
		await holds(ids.dora, [ids.browser]);
		await line("ready", dora);
		expect(dora.faults).toEqual([]);
		await dora.close();
	});

	it("says that no sound gets through, finds a way once there is one, and gives up where there is none", async () => {
		const dora = await windowOpen({ by: { base: server.secured } });
		await dora.page.clock.install();
		await dora.signIn("dora");
		await line("ready", dora);
		await soundBlock(dora, true);
		await phones.do("dial", "822", { number: "514" });
		await button("Answer", dora).click();
		await button("Hold", dora).waitFor();
		await dora.page.clock.fastForward(6000);
		await dora.page.getByText("No sound gets through: this network lets no UDP to the media relay.").waitFor();
		expect(await dora.violations()).toEqual([]);
		await soundBlock(dora, false);
		await dora.page.clock.fastForward(1000);
		await pageHears(dora, BOB);
		await dora.page.getByText("No sound gets through").waitFor({ state: "detached" });
		await phones.do("hang_up", "822");
		await button("Hold", dora).waitFor({ state: "detached" });

		await soundBlock(dora, true);
		await phones.do("dial", "822", { number: "514" });
		await button("Answer", dora).click();
		await button("Hold", dora).waitFor();
		await dora.page.clock.fastForward(6000);
		await dora.page.getByText("No sound gets through").waitFor();
		await dora.page.clock.fastForward(20_000);
		await dora.page.getByText("No sound got through this network").waitFor();
		await dora.close();
	});

	it("says why a call comes to nothing, and that one was missed", async () => {
		await phones.do("dial", "823", { number: "510" });
		await button("Decline").click();
		await over("Carol Jones");
		await jane.page.evaluate(() => Object.defineProperty(document, "hidden", { get: () => true, configurable: true }));
		await phones.do("dial", "823", { number: "510" });
		await button("Answer").waitFor();
		await jane.page.waitForFunction(() => document.title === "☎ Carol Jones");
		await phones.do("hang_up", "823");
		await jane.page.waitForFunction(() => !document.title.startsWith("☎"));
		await ended("Carol Jones").getByText("Missed").waitFor();
		await panel().getByLabel("Number").fill("599");
		await button("Call").click();
		await ended("599").getByText("No such number").waitFor();
	});

	it("is in one tab of several, and goes where it is wanted", async () => {
		const other = await jane.context.newPage();
		await other.goto(jane.base);
		const there = { page: other } as Window;
		await line("elsewhere", there);
		await panelOpen(there);
		await button("Use the phone in this tab", there).click();
		await line("ready", there);
		await line("elsewhere");
		await panel(there).getByLabel("Number").fill("512");
		await button("Call", there).click();
		await button("Use the phone in this tab").click();
		await panel().getByText("The phone is in a call in the other tab.").waitFor();
		expect(await jane.violations()).toEqual([]);
		await button("Hang up", there).click();
		await other.close({ runBeforeUnload: false });
		await line("ready"); // the one that is left
		await ended("599").waitFor({ state: "detached" });
	});

	it("says in Czech what stands in its way, on a narrow screen in the dark", async () => {
		const options = { language: "cs", width: 390, dark: true } as const;
		const cookies = await jane.context.cookies();
		const open = async (options: Parameters<typeof Window.open>[2] = {}) => {
			const window = await windowOpen(options);
			await window.context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: window.base })));
			await window.go("/");
			return window;
		};
		const insecure = await open({ ...options, by: { base: network.base.replace("127.0.0.1", "phone.test") } });
		await insecure.page.getByRole("button", { name: /^Telefon:/ }).click();
		await insecure.page.getByText("Prohlížeč dá mikrofon jen stránkám přes HTTPS.").waitFor();
		expect(await insecure.violations()).toEqual([]);
		await insecure.close();
		const denied = await open({ ...options, permissions: [] });
		await denied.page.getByRole("button", { name: /^Telefon:/ }).click();
		await denied.page.getByText("Prohlížeč této stránce nedovolil mikrofon.").waitFor();
		expect(await denied.violations()).toEqual([]);
		await denied.close();
		const refused = await windowOpen();
		await refused.context.addCookies(cookies.map(({ name, value }) => ({ name, value, url: refused.base })));
		await refused.context.route("**/api/v1/me/phone", (route) => route.fulfill({ status: 403, contentType: "application/problem+json", json: { status: 403, code: "not_allowed", detail: "You may not do this.", field: [] } }));
		await refused.go("/");
		await line("refused", refused);
		await panelOpen(refused);
		await button("Try again", refused).waitFor();
		await refused.close();
	});

	// The last, since the server takes the relay for gone a while longer.
	it("says that the sound is lost, and has it back with the relay", async () => {
		await phones.do("dial", "822", { number: "510" });
		await button("Answer").click();
		await pageHears(jane, BOB);
		relay.pause(true);
		await call("Bob Smith").getByText("Connection lost; the call is kept").waitFor();
		relay.pause(false);
		await pageHears(jane, BOB);
		await call("Bob Smith").getByText("Connection lost").waitFor({ state: "detached" });
		await phones.do("hang_up", "822");
		await over("Bob Smith", 3000);
	});

	it("did nothing that the policy forbids", () => expect(jane.faults.filter((each) => !each.includes("net::ERR_"))).toEqual([]));
});
