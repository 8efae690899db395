// A CSV file (RFC 4180) in parts that one request takes each. What a cell means is the server's business.
export interface CsvPart {
	text: string; // with the header
	rows: number;
	before: number; // rows in the parts before
}

interface CsvRecord {
	text: string;
	first: string; // its cell in the column that was asked for
}

export interface CsvFile {
	header: string;
	records: CsvRecord[];
}

const delimiters = [",", ";", "\t"];

// Which of them stands most often outside quotes in the first line, as the server finds it.
function delimiterOf(line: string): string {
	const bare = line.replace(/"[^"]*"/g, "");
	return delimiters.reduce((best, each) => (bare.split(each).length > bare.split(best).length ? each : best));
}

export function csvCells(record: string, delimiter: string): string[] {
	const cells: string[] = [];
	let cell = "", quoted = false;
	for (let at = 0; at < record.length; at++) {
		const c = record[at] as string;
		if (quoted && c === '"' && record[at + 1] === '"') cell += record[at++];
		else if (c === '"') quoted = !quoted;
		else if (!quoted && c === delimiter) {
			cells.push(cell);
			cell = "";
		} else cell += c;
	}
	return [...cells, cell];
}

// Ends of lines within quotes belong to the record. Empty lines are none.
function recordsOf(text: string): string[] {
	const records: string[] = [];
	let start = 0, quoted = false;
	for (let at = 0; at <= text.length; at++) {
		const c = text[at];
		if (c === '"') quoted = !quoted;
		if (at < text.length && (quoted || (c !== "\n" && c !== "\r"))) continue;
		if (at > start) records.push(text.slice(start, at));
		start = at + 1;
	}
	return records;
}

// `column` is the one that tells rows apart, or that holds them together.
export function csvRead(text: string, column: string): CsvFile {
	const [header = "", ...rest] = recordsOf(text.replace(/^\uFEFF/, ""));
	const delimiter = delimiterOf(header);
	const index = csvCells(header, delimiter).findIndex((name) => name.trim() === column);
	return { header, records: rest.map((record) => ({ text: record, first: csvCells(record, delimiter)[index] ?? "" })) };
}

// Rows, by their numbers in a spreadsheet, whose cell in the column was there before.
export function csvTwice(file: CsvFile): { row: number; earlier: number }[] {
	const seen = new Map<string, number>();
	return file.records.flatMap(({ first }, at) => {
		const earlier = seen.get(first);
		if (earlier === undefined) seen.set(first, at + 2);
		return earlier !== undefined && first ? [{ row: at + 2, earlier }] : [];
	});
}

// Parts of about so many rows. `together`: neighbours with the same cell in the column stay in one part.
export function csvParts(file: CsvFile, rows: number, bytes: number, together: boolean): CsvPart[] {
	const parts: CsvPart[] = [];
	let lines: string[] = [], size = 0, before = 0;
	const close = () => {
		if (lines.length) parts.push({ text: [file.header, ...lines, ""].join("\r\n"), rows: lines.length, before });
		before += lines.length;
		lines = [];
		size = 0;
	};
	file.records.forEach((record, at) => {
		const tied = together && lines.length > 0 && file.records[at - 1]?.first === record.first;
		if ((lines.length >= rows || size + record.text.length > bytes) && !tied) close();
		lines.push(record.text);
		size += record.text.length;
	});
	close();
	return parts;
}
