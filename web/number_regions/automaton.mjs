// Regular expressions over digits, as libphonenumber's metadata has them, made into one automaton without loops that a few
// lines of C can walk. Every state is there once, whoever needs it: two patterns that end alike share their ends.

// ---- reading a pattern: digits, \d, [classes], (groups), (?:groups), |, ?, {n}, {n,m}, and $ at the end of a group

export function parsePattern(text) {
	let at = 0;
	const fail = (why) => {
		throw new Error(`${why} at ${at} in ${text}`);
	};

	function digitClass() {
		const digits = new Set();
		while (text[at] !== "]") {
			if (text[at] === "\\" && text[at + 1] === "d") {
				for (let d = 0; d < 10; d++) digits.add(d);
				at += 2;
			} else if (text[at + 1] === "-") {
				for (let d = Number(text[at]); d <= Number(text[at + 2]); d++) digits.add(d);
				at += 3;
			} else if (/\d/.test(text[at] ?? "")) digits.add(Number(text[at++]));
			else fail("no class of digits");
		}
		at++;
		return { kind: "digit", digits: [...digits] };
	}

	function atom() {
		const c = text[at];
		if (c === "(") {
			const captures = !text.startsWith("(?:", at);
			at += captures ? 1 : 3;
			const inside = choice();
			if (text[at++] !== ")") fail("a parenthesis is open");
			return captures ? { kind: "capture", inside } : inside;
		}
		if (c === "[") {
			at++;
			return digitClass();
		}
		if (c === "\\" && text[at + 1] === "d") {
			at += 2;
			return { kind: "digit", digits: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] };
		}
		if (c === "$") {
			at++;
			return { kind: "end" };
		}
		if (/\d/.test(c ?? "")) {
			at++;
			return { kind: "digit", digits: [Number(c)] };
		}
		return fail("unknown");
	}

	function repeated() {
		const inside = atom();
		if (text[at] === "?") {
			at++;
			return { kind: "repeat", inside, min: 0, max: 1 };
		}
		const count = /^\{(\d+)(?:,(\d+))?\}/.exec(text.slice(at));
		if (!count) return inside;
		at += count[0].length;
		return { kind: "repeat", inside, min: Number(count[1]), max: Number(count[2] ?? count[1]) };
	}

	function sequence() {
		const parts = [];
		while (at < text.length && text[at] !== "|" && text[at] !== ")") parts.push(repeated());
		return { kind: "sequence", parts };
	}

	function choice() {
		const ways = [sequence()];
		while (text[at] === "|") {
			at++;
			ways.push(sequence());
		}
		return ways.length === 1 ? ways[0] : { kind: "choice", ways };
	}

	const node = choice();
	if (at !== text.length) fail("not understood");
	return node;
}

// ---- from a pattern to places and steps between them

class Net {
	constructor() {
		this.free = []; // per place: places reached without a digit
		this.steps = []; // per place: [digits, place]
		this.tags = []; // per place: what is found when a number ends here
	}

	place() {
		this.free.push([]);
		this.steps.push([]);
		this.tags.push(null);
		return this.free.length - 1;
	}

	// Builds the node from a place on; gives the place where it ends.
	add(node, from) {
		if (node.kind === "digit") {
			const to = this.place();
			this.steps[from].push([node.digits, to]);
			return to;
		}
		if (node.kind === "capture") return this.add(node.inside, from);
		if (node.kind === "sequence") return node.parts.reduce((place, part) => this.add(part, place), from);
		if (node.kind === "choice") {
			const to = this.place();
			for (const way of node.ways) this.free[this.add(way, from)].push(to);
			return to;
		}
		if (node.kind === "repeat") {
			const to = this.place();
			for (let i = 0; i < node.max; i++) {
				if (i >= node.min) this.free[from].push(to);
				from = this.add(node.inside, from);
			}
			this.free[from].push(to);
			return to;
		}
		throw new Error(`a pattern cannot hold "${node.kind}" here`);
	}

	closure(places) {
		const all = new Set(places);
		for (const place of all) for (const next of this.free[place]) all.add(next);
		return [...all].sort((a, b) => a - b);
	}
}

// ---- the automaton

export const LONGEST = 17; // digits of a national number, and an outlier

export class Automaton {
	constructor() {
		this.states = [{ label: 0, next: Array(10).fill(0) }]; // 0: nothing leads anywhere from here
		this.known = new Map();
	}

	state(label, next) {
		if (label === 0 && next.every((to) => to === 0)) return 0;
		const key = `${label}:${next.join()}`;
		let id = this.known.get(key);
		if (id === undefined) {
			id = this.states.push({ label, next }) - 1;
			this.known.set(key, id);
		}
		return id;
	}

	// Patterns: [{ tag, pattern, prefix }]; `prefix` ones hold however the number goes on. label(tags, length) gives a number,
	// 0 for "no number ends here". Gives the state where it begins.
	build(patterns, label) {
		const net = new Net();
		const start = net.place();
		for (const { tag, pattern, prefix } of patterns) {
			const end = net.add(parsePattern(pattern), start);
			const last = net.place();
			net.free[end].push(last);
			net.tags[last] = tag;
			if (prefix) net.steps[last].push([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], last]);
		}
		const seen = new Map();
		const grow = (places, length) => {
			const key = `${length}:${places.join()}`;
			if (places.length === 0) return 0;
			if (seen.has(key)) return seen.get(key);
			const tags = new Set(places.map((place) => net.tags[place]).filter((tag) => tag !== null));
			const next = Array(10).fill(0);
			for (let d = 0; d < 10 && length < LONGEST; d++) {
				const reached = new Set();
				for (const place of places)
					for (const [digits, to] of net.steps[place]) if (digits.includes(d)) reached.add(to);
				next[d] = grow(net.closure(reached), length + 1);
			}
			const id = this.state(tags.size ? label(tags, length) : 0, next);
			seen.set(key, id);
			return id;
		};
		return grow(net.closure([start]), 0);
	}
}
