// A server of the test's own on free ports with a throw-away store, a browser, and phones.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createServer as tlsServer, type Server as TlsServer } from "node:tls";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { expect } from "vitest";

export const PASSWORD = "correct horse battery";
const ROOT = resolve(import.meta.dirname, "../../..");
const WAIT = 60_000;

/** Below those that the system gives to whoever asks for none, so that it stays free until it is used. */
async function freePort(): Promise<number> {
	const port = 10000 + Math.floor(Math.random() * 10000);
	const server = createServer();
	const free = await new Promise<boolean>((done) => {
		server.once("error", () => done(false));
		server.listen(port, "127.0.0.1", () => done(true));
	});
	if (free) await new Promise((done) => server.close(done));
	return free ? port : freePort();
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = new Promise((done) => child.once("exit", done));
	child.kill("SIGTERM");
	const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
	await ended;
	clearTimeout(timer);
}

// A certificate for 127.0.0.1 that nobody has signed, with its key in one file.
export class Certificate {
	private readonly folder = mkdtempSync(join(tmpdir(), "carillon-certificate-"));
	readonly path = join(this.folder, "server.pem");

	constructor() {
		const made = execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-"], { stdio: ["ignore", "pipe", "ignore"] });
		writeFileSync(this.path, made);
	}

	// Has Chromium trust whoever has this key, and nobody else.
	get trusted(): string {
		const key = new X509Certificate(readFileSync(this.path)).publicKey.export({ type: "spki", format: "der" });
		return `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`;
	}

	remove(): void {
		rmSync(this.folder, { recursive: true, force: true });
	}
}

export class Server {
	base = "";
	secured = ""; // the same over HTTPS
	sip = "";
	password = ""; // the first administrator's, as printed
	passwords = new Map<string, string>(); // of the example's devices
	private csrf = "";
	private cookie = "";
	private constructor(
		private readonly child: ChildProcess,
		private readonly folder: string,
	) {}

	static async start({ example = false, media = "", certificate }: { example?: boolean; media?: string; certificate?: Certificate } = {}): Promise<Server> {
		const folder = mkdtempSync(join(tmpdir(), "carillon-console-"));
		const [sip, https] = [await freePort(), certificate ? await freePort() : 0];
		writeFileSync(
			join(folder, "carillond.conf"),
			`[sip]\nudp = 127.0.0.1:${sip}\ntcp = 127.0.0.1:${sip}\ntls =\n[http]\nlisten = 127.0.0.1:0\n` +
				`console = ${ROOT}/web/dist\n${certificate ? `https = 127.0.0.1:${https}\n[tls]\ncertificate = ${certificate.path}\n` : ""}[store]\nurl = sqlite:${folder}/carillon.db\n[server]\ndrain_s = 1\n${media}`,
		);
		const binary = process.env["CARILLOND"] ?? join(ROOT, "build/src/carillond");
		const child = spawn(binary, ["-c", join(folder, "carillond.conf"), ...(example ? ["--example"] : [])], {
			stdio: ["ignore", "pipe", "ignore"],
			cwd: folder,
		});
		const server = new Server(child, folder);
		server.sip = `127.0.0.1:${sip}`;
		server.secured = `https://127.0.0.1:${https}`;
		for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
			server.password = /^First administrator:.* password (\S+)/.exec(line)?.[1] ?? server.password;
			const device = /^Example device: SIP user (\S+), password (\S+)/.exec(line);
			if (device?.[1] && device[2]) server.passwords.set(device[1], device[2]);
			server.base = /(http:\/\/\S+)/.exec(line)?.[1] ?? "";
			if (server.base) break;
		}
		expect(server.base, "the server has started").not.toBe("");
		child.stdout?.resume();
		return server;
	}

	// As the administrator, with the password changed.
	async prepare(): Promise<void> {
		await this.signIn(this.password);
		await this.api("PUT", "/me/password", { password: this.password, new_password: PASSWORD });
		await this.signIn(PASSWORD);
	}

	private async signIn(password: string): Promise<void> {
		const response = await fetch(`${this.base}/api/v1/session`, {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ name: "admin", password }),
		});
		expect(response.status).toBe(201);
		this.cookie = (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
		this.csrf = ((await response.json()) as { csrf_token: string }).csrf_token;
	}

	// When the password was changed in a browser.
	async prepareAgain(): Promise<void> {
		await this.signIn(PASSWORD);
	}

	// For somebody whom an administrator gave their first password, which must be changed.
	async passwordChoose(name: string, first: string, own: string): Promise<void> {
		const headers = { "Content-Type": "application/json" };
		const session = await fetch(`${this.base}/api/v1/session`, { method: "POST", headers, body: JSON.stringify({ name, password: first }) });
		expect(session.status).toBe(201);
		const cookie = (session.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
		const { csrf_token } = (await session.json()) as { csrf_token: string };
		const changed = await fetch(`${this.base}/api/v1/me/password`, {
			method: "PUT",
			headers: { ...headers, Cookie: cookie, "X-CSRF-Token": csrf_token },
			body: JSON.stringify({ password: first, new_password: own }),
		});
		expect(changed.ok, await changed.text()).toBe(true);
	}

	// For a browser that need not sign in itself.
	async cookieOf(): Promise<{ name: string; value: string; url: string }> {
		const [name = "", value = ""] = this.cookie.split("=");
		return { name, value, url: this.base };
	}

	async api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
		const response = await fetch(`${this.base}/api/v1${path}`, {
			method,
			headers: { Cookie: this.cookie, "X-CSRF-Token": this.csrf, ...(body ? { "Content-Type": "application/json" } : {}) },
			...(body ? { body: JSON.stringify(body) } : {}),
		});
		const text = await response.text();
		expect(response.ok, `${method} ${path}: ${text}`).toBe(true);
		return (text ? JSON.parse(text) : undefined) as T;
	}

	async close(): Promise<void> {
		await stop(this.child);
		rmSync(this.folder, { recursive: true, force: true });
	}
}

export async function browserStart(more: string[] = []): Promise<Browser> {
	return chromium.launch({
		executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
		args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), ...more],
	});
}

// A window of its own. What breaks the policy, leaves the server or throws in it fails the test that looks at `faults`.
export class Window {
	readonly faults: string[] = [];
	private constructor(
		readonly context: BrowserContext,
		readonly page: Page,
		readonly base: string,
	) {}

	static async open(
		browser: Browser,
		server: Server,
		options: { width?: number; height?: number; dark?: boolean; language?: "en" | "cs"; by?: { base: string }; permissions?: string[] } = {},
	) {
		const { width = 1280, height = 900, dark = false, language = "en", by, permissions = [] } = options;
		const base = by?.base ?? server.base;
		const context = await browser.newContext({
			viewport: { width, height },
			colorScheme: dark ? "dark" : "light",
			locale: language,
			reducedMotion: "reduce",
			permissions,
		});
		context.setDefaultTimeout(WAIT);
		const page = await context.newPage();
		const window = new Window(context, page, base);
		page.on("pageerror", (error) => window.faults.push(error.message));
		page.on("console", (message) => {
			if (message.type() === "error" && !message.text().includes("the server responded with a status of 4")) window.faults.push(message.text());
		});
		page.on("request", (request) => {
			if (!request.url().startsWith(base)) window.faults.push(`leaves the server: ${request.url()}`);
		});
		return window;
	}

	async go(path: string): Promise<void> {
		await this.page.goto(this.base + path);
	}

	async signIn(name = "admin", password = PASSWORD): Promise<void> {
		await this.go("/");
		await this.page.getByLabel("Sign-in name").fill(name);
		await this.page.getByRole("textbox", { name: "Password" }).fill(password);
		const answered = this.page.waitForResponse((response) => response.url().endsWith("/api/v1/session") && response.request().method() === "POST");
		await this.page.getByRole("button", { name: "Sign in" }).click();
		await answered;
	}

	// axe-core's violations on what is shown now, as one line each.
	async violations(): Promise<string[]> {
		// Not the network's idleness: the stream of events never ends. What loads is marked as busy.
		await this.page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
		await this.page.evaluate(axeSource);
		return this.page.evaluate(async () => {
			const { violations } = await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run({
				// A tooltip lies at the end of the page by its nature; what it explains stands in a landmark.
				exclude: [["[role=tooltip]"]],
			});
			return violations.map((each) => `${each.id}: ${each.nodes.map((node) => `${node.target.join(" ")} ${node.failureSummary ?? ""}`).join(" | ")}`);
		});
	}

	async close(): Promise<void> {
		await this.context.close();
	}
}

// A media relay of the test's own: rtpengine in user space. `settings` is what the server is told of it.
export class Relay {
	private constructor(
		private readonly child: ChildProcess,
		private readonly folder: string,
		readonly settings: string,
	) {}

	static async start(): Promise<Relay> {
		const folder = mkdtempSync(join(tmpdir(), "carillon-prompts-"));
		const ng = `127.0.0.1:${await freePort()}`;
		const low = 22_000 + (process.pid % 50) * 200;
		const child = spawn("rtpengine", ["--config-file=none", "--table=-1", "--interface=127.0.0.1", `--listen-ng=${ng}`, `--port-min=${low}`, `--port-max=${low + 199}`, "--delete-delay=0", "--num-threads=2", "--foreground", "--log-stderr"], { stdio: "ignore" });
		return new Relay(child, folder, `[media]\nrelays = ${ng} name=one\nprompts = ${folder}\n`);
	}

	// Lets nothing through, and then goes on where it was.
	pause(paused: boolean): void {
		this.child.kill(paused ? "SIGSTOP" : "SIGCONT");
	}

	async close(): Promise<void> {
		await stop(this.child);
		rmSync(this.folder, { recursive: true, force: true });
	}
}

// Targets of a trunk to MS Teams: each answers every OPTIONS, over TLS, until it is closed. `settings` lets a server trust them.
export class TeamsTargets {
	private constructor(
		private readonly listeners: { listener: TlsServer; sockets: Set<Socket> }[],
		private readonly folder: string,
		readonly settings: string,
		readonly targets: string, // as a trunk has them
	) {}

	static async start(count: number): Promise<TeamsTargets> {
		const folder = mkdtempSync(join(tmpdir(), "carillon-teams-"));
		const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
		execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
		const listeners = Array.from({ length: count }, () => {
			const sockets = new Set<Socket>();
			const listener = tlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
				let heard = "";
				sockets.add(socket);
				socket.on("error", () => socket.destroy());
				socket.on("data", (data) => {
					const requests = (heard + String(data)).split("\r\n\r\n");
					heard = requests.pop() ?? "";
					for (const request of requests) {
						const kept = request.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
						socket.write(`${["SIP/2.0 200 OK", ...kept.map((line) => (/^To:/i.test(line) ? `${line};tag=1` : line)), "Content-Length: 0"].join("\r\n")}\r\n\r\n`);
					}
				});
			});
			return { listener, sockets };
		});
		for (const { listener } of listeners) await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
		const targets = listeners.map(({ listener }) => `127.0.0.1:${(listener.address() as AddressInfo).port}`).join(" ");
		return new TeamsTargets(listeners, folder, `[tls]\nca = ${cert}\n`, targets);
	}

	end(): void {
		const last = this.listeners.pop();
		last?.listener.close();
		last?.sockets.forEach((socket) => socket.destroy());
	}

	close(): void {
		while (this.listeners.length) this.end();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

// Stands between the browser and the server, and can cut every connection for a while, as a network does.
export class Network {
	private readonly connections = new Set<Socket>();
	private down = false;
	base = "";
	private constructor(private readonly listener: NetServer) {}

	static async start(server: Server): Promise<Network> {
		const { hostname, port } = new URL(server.base);
		const network: Network = new Network(
			createServer((from) => {
				if (network.down) return void from.destroy();
				const to = connect(Number(port), hostname);
				for (const [one, other] of [
					[from, to],
					[to, from],
				] as const) {
					network.connections.add(one);
					one.pipe(other);
					one.on("error", () => other.destroy());
					one.on("close", () => {
						network.connections.delete(one);
						other.destroy();
					});
				}
			}),
		);
		await new Promise<void>((done) => network.listener.listen(0, "127.0.0.1", done));
		network.base = `http://127.0.0.1:${(network.listener.address() as AddressInfo).port}`;
		return network;
	}

	cut(): void {
		this.down = true;
		for (const each of this.connections) each.destroy();
	}

	mend(): void {
		this.down = false;
	}

	close(): void {
		this.cut();
		this.listener.close();
	}
}
const axeSource = readFileSync(join(ROOT, "web/node_modules/axe-core/axe.min.js"), "utf8");

export class Phones {
	private readonly answers: AsyncIterator<string>;
	private constructor(private readonly child: ChildProcess) {
		this.answers = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
	}

	static start(server: Server): Phones {
		return new Phones(spawn("python3", [join(ROOT, "test/e2e/phones.py"), server.sip], { stdio: ["pipe", "pipe", "inherit"] }));
	}

	async do(
		what: "register" | "dial" | "rings" | "answer" | "hang_up" | "transfer" | "hears" | "misses" | "key",
		user: string,
		more: { password?: string; number?: string; hertz?: number; key?: string; codec?: string } = {},
	): Promise<void> {
		this.child.stdin?.write(`${JSON.stringify({ do: what, user, ...more })}\n`);
		const { value } = await this.answers.next();
		const answer = JSON.parse(value as string) as { ok: boolean; error?: string };
		expect(answer.ok, `${what} ${user}: ${answer.error ?? ""}`).toBe(true);
	}

	async close(): Promise<void> {
		this.child.stdin?.end();
		const ended = new Promise((done) => this.child.once("exit", done));
		const timer = setTimeout(() => this.child.kill("SIGTERM"), 30_000);
		if (this.child.exitCode === null) await ended;
		clearTimeout(timer);
	}
}
