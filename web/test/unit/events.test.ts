import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { callReplace, callsRead, type Call } from "../../src/api/events";

const call = (id: string, state: Call["state"]) => ({ id, state, started_at: `2026-01-01T00:00:0${id}Z` }) as Call;

it("does not fall back to what a list that was read more slowly says", async () => {
	const client = new QueryClient();
	let answer: (calls: Call[]) => void = () => undefined;
	const read = callsRead(() => new Promise((resolve) => (answer = resolve)));
	callReplace(client, call("1", "talking"));
	callReplace(client, call("3", "ringing"));
	answer([call("2", "ringing"), call("1", "ringing")]);
	expect((await read).map(({ id, state }) => `${id} ${state}`)).toEqual(["3 ringing", "2 ringing", "1 talking"]);
	expect((await callsRead(() => Promise.resolve([call("1", "ringing")]))).map(({ state }) => state)).toEqual(["ringing"]);
});
