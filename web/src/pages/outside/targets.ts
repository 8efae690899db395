// A trunk's targets as rows, and as the text they are kept in: "sbc1.example.com:5060;priority=10;weight=60 192.0.2.7".
export interface TargetRow {
	place: string; // host, and port where wanted
	priority: number;
	weight: number;
}

export function rowsOf(text: string): TargetRow[] {
	return text
		.split(" ")
		.filter(Boolean)
		.map((piece) => {
			const [place = "", ...parameters] = piece.split(";");
			const row: TargetRow = { place, priority: 0, weight: 0 };
			for (const parameter of parameters) {
				const [name, value] = parameter.split("=");
				if (name === "priority") row.priority = Number(value) || 0;
				if (name === "weight") row.weight = Number(value) || 0;
			}
			return row;
		});
}

export function textOf(rows: readonly TargetRow[]): string {
	return rows
		.filter((row) => row.place.trim())
		.map(({ place, priority, weight }) => `${place.trim().replace(/\s+/g, "")}${priority ? `;priority=${priority}` : ""}${weight ? `;weight=${weight}` : ""}`)
		.join(" ");
}
