// Both languages say everything, with the same names filled in.
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { words } from "../../src/words";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ""): [string, string][] {
	return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
		typeof value === "string" ? [[`${path}${key}`, value]] : flat(value, `${path}${key}.`),
	);
}
const en = new Map(flat(words.en as unknown as Tree));
const cs = new Map(flat(words.cs as unknown as Tree));
const names = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort().join(" ");

describe("words", () => {
	it("are there in both languages", () => {
		expect(en.size).toBeGreaterThan(300);
		for (const key of en.keys()) expect(cs.has(key), `${key} in Czech`).toBe(true);
		for (const key of cs.keys()) expect(en.has(key) || key.endsWith("_few"), `${key} in English`).toBe(true);
	});
	it("have every plural that Czech needs", () => {
		for (const key of cs.keys())
			if (key.endsWith("_one")) expect(cs.has(key.replace(/_one$/, "_few")), `${key} has a form for 2 to 4`).toBe(true);
	});
	it("are not empty and fill in the same names", () => {
		for (const [key, text] of en) {
			expect(text.trim(), key).not.toBe("");
			expect(cs.get(key)?.trim(), key).toBeTruthy();
			expect(names(cs.get(key) ?? ""), key).toBe(names(text));
		}
	});
	it("stand nowhere else: no sentence is written in a page", () => {
		const pages = ["src", "src/pages", "src/parts"].flatMap((folder) =>
			readdirSync(folder, { recursive: folder !== "src", encoding: "utf8" }).map((name) => `${folder}/${name}`),
		);
		for (const path of pages.filter((name) => name.endsWith(".tsx"))) {
			const source = readFileSync(path, "utf8").replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, "");
			const texts = [...source.matchAll(/(?:label|title|placeholder|aria-label|description)="([^"]*[a-z]{3,} [a-z]+[^"]*)"/g)];
			expect(texts.map((match) => match[1]), path).toEqual([]);
		}
	});
});
