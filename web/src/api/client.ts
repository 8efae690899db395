// One request to the server: JSON out, JSON in, and what was refused comes as a Problem.
import type { components } from "./types";

export type Schemas = components["schemas"];
export type ProblemDocument = Schemas["Problem"];

// A refusal (RFC 9457), or no answer at all: then status is 0.
export class Problem extends Error {
	readonly status: number;
	readonly code: string;
	readonly field: ProblemDocument["field"];
	readonly problems: NonNullable<ProblemDocument["problems"]>; // of an import or a bulk operation

	constructor(document: Pick<ProblemDocument, "status" | "code" | "detail" | "field" | "problems">) {
		super(document.detail);
		this.status = document.status;
		this.code = document.code;
		this.field = document.field;
		this.problems = document.problems ?? [];
	}
}

export interface Answer<T> {
	data: T;
	etag: string | null;
	headers: Headers;
}

export type Query = Record<string, string | number | boolean | undefined>;

interface Options {
	query?: Query | undefined;
	body?: unknown; // sent as JSON; a File as what it is
	etag?: string | null | undefined;
	signal?: AbortSignal | undefined;
	idempotencyKey?: string | undefined;
}

let csrfToken: string | null = null;
export function csrfTokenSet(token: string | null): void {
	csrfToken = token;
}

// Called when the server says that nobody is signed in any more.
let whenSignedOut: () => void = () => undefined;
export function onSignedOut(tell: () => void): void {
	whenSignedOut = tell;
}

export function queryText(query: Query | undefined): string {
	const parameters = new URLSearchParams();
	for (const [name, value] of Object.entries(query ?? {}))
		if (value !== undefined && value !== "") parameters.set(name, String(value));
	const text = parameters.toString();
	return text ? `?${text}` : "";
}

async function problemOf(response: Response): Promise<Problem> {
	try {
		return new Problem((await response.json()) as ProblemDocument);
	} catch {
		return new Problem({ status: response.status, code: "unreadable", detail: response.statusText, field: [] });
	}
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
	const headers = new Headers({ Accept: "application/json" });
	const { body } = options;
	if (body !== undefined) headers.set("Content-Type", body instanceof Blob ? body.type : "application/json");
	if (method !== "GET" && csrfToken) headers.set("X-CSRF-Token", csrfToken);
	if (options.etag) headers.set("If-Match", options.etag);
	if (options.idempotencyKey) headers.set("Idempotency-Key", options.idempotencyKey);
	let response: Response;
	try {
		response = await fetch(`/api/v1${path}${queryText(options.query)}`, {
			method,
			headers,
			body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
			signal: options.signal ?? null,
			credentials: "same-origin",
		});
	} catch (error) {
		if (error instanceof DOMException && error.name === "AbortError") throw error;
		throw new Problem({ status: 0, code: "no_connection", detail: "The server does not answer.", field: [] });
	}
	if (!response.ok) {
		const problem = await problemOf(response);
		if (problem.status === 401 && problem.code === "not_signed_in") whenSignedOut();
		throw problem;
	}
	const data = response.status === 204 ? undefined : await response.json();
	return { data: data as T, etag: response.headers.get("ETag"), headers: response.headers };
}
