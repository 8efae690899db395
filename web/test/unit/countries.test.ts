import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { countries, countryName } from "../../src/parts/countries";

test("the countries to choose from are those that the server knows", () => {
	const table = readFileSync(new URL("../../../src/domain/number_regions.def", import.meta.url), "utf8");
	const known = [...table.matchAll(/^REGION\("([A-Z]{2})"/gm)].map((row) => row[1]);
	expect([...countries]).toEqual(known.sort());
});

test("a country has its name in the reader's language", () => {
	expect(countryName("CZ", "en")).toBe("Czechia");
	expect(countryName("GB", "cs")).toBe("Spojené království");
});
