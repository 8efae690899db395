// Large files in parts.
import { describe, expect, it } from "vitest";
import { csvCells, csvParts, csvRead, csvTwice } from "../../src/parts/csv";

describe("a CSV file", () => {
	it("is read by records, whatever stands within quotes", () => {
		const file = csvRead('\uFEFFtitle;name\r\n"a;\n""b""";jane\r\n\r\nx;bob\n', "name");
		expect(file.header).toBe("title;name");
		expect(file.records).toEqual([{ text: '"a;\n""b"""' + ";jane", first: "jane" }, { text: "x;bob", first: "bob" }]);
		expect(csvCells('"a;\n""b""";jane', ";")).toEqual(['a;\n"b"', "jane"]);
	});

	it("comes in parts that each have the header, and none is lost", () => {
		const names = Array.from({ length: 2501 }, (_, at) => `u${at}`);
		const parts = csvParts(csvRead(`name,title\n${names.map((name) => `${name},T`).join("\n")}`, "name"), 1000, 1 << 20, false);
		expect(parts.map((part) => [part.rows, part.before])).toEqual([[1000, 0], [1000, 1000], [501, 2000]]);
		expect(parts.flatMap((part) => csvRead(part.text, "name").records.map((record) => record.first))).toEqual(names);
		expect(parts.every((part) => part.text.startsWith("name,title\r\n"))).toBe(true);
	});

	it("is parted by size, too", () => {
		const parts = csvParts(csvRead(`name\n${"x".repeat(60)}\n${"y".repeat(60)}\n`, "name"), 1000, 100, false);
		expect(parts.map((part) => part.rows)).toEqual([1, 1]);
	});

	it("keeps the rows of one user's plan in one part", () => {
		const parts = csvParts(csvRead("user,device\n510,1\n510,2\n510,3\n520,4\n", "user"), 2, 1 << 20, true);
		expect(parts.map((part) => part.rows)).toEqual([3, 1]);
	});

	it("says which rows are there twice", () => {
		expect(csvTwice(csvRead("number\n330\n331\n330\n", "number"))).toEqual([{ row: 4, earlier: 2 }]);
	});
});
