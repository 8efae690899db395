// Writes src/domain/number_regions.def from the metadata of libphonenumber-js: which numbers there are in which country.
//   web/with-node node web/number_regions/generate.mjs        writes it
//   web/with-node node web/number_regions/generate.mjs check  says whether it is what would be written
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Automaton, parsePattern } from "./automaton.mjs";

const require = createRequire(import.meta.url);
const metadata = require("libphonenumber-js/metadata.max.json");
const packageOf = require("libphonenumber-js/package.json");
const target = fileURLToPath(new URL("../../src/domain/number_regions.def", import.meta.url));

// As in enum number_type; `at`: where the metadata has the type's pattern. In the order in which they are looked for.
const types = [
	{ name: "MOBILE", at: 1 },
	{ name: "PREMIUM", at: 3 },
	{ name: "TOLL_FREE", at: 2 },
	{ name: "SHARED_COST", at: 9 },
	{ name: "VOIP", at: 8 },
	{ name: "PERSONAL", at: 4 },
	{ name: "PAGER", at: 7 },
	{ name: "COMPANY", at: 6 },
	{ name: "VOICEMAIL", at: 5 },
];
const typeNumbers = ["UNKNOWN", "FIXED", "FIXED_OR_MOBILE", ...types.map((type) => type.name)];
const TYPES = 12; // NUMBER_TYPE_COUNT

// The metadata's rows by name; see METADATA.md of libphonenumber-js.
const planOf = (row) => ({
	calling: row[0],
	international: row[1] || "",
	general: row[2],
	lengths: row[3],
	formats: row[4] || [],
	national: row[5] || "",
	nationalFormat: row[6] || "",
	parsing: row[7] || row[5] || "",
	transform: row[8] || "",
	optional: Boolean(row[9]),
	leading: row[10] || "",
	types: row[11] || [],
	preferred: (row[12] || "").replace("~", ""),
});

const automaton = new Automaton();
const yes = () => 1;

// ---- which type a number is of, and of which of the countries that share its calling code

function typeOf(plan, has, length) {
	const is = (at) => {
		const type = plan.types[at];
		return Boolean(type && type[0] && (type[1] || plan.lengths).includes(length) && has(at));
	};
	if (!has("general")) return "";
	if (is(0)) return !plan.types[1] || plan.types[1][0] === "" || is(1) ? "FIXED_OR_MOBILE" : "FIXED";
	return types.find((type) => is(type.at))?.name ?? "";
}

function typesState(plans) {
	const patterns = plans.flatMap((plan, i) => [
		{ tag: `${i} general`, pattern: plan.general },
		...plan.types.flatMap((type, at) => (type && type[0] ? [{ tag: `${i} ${at}`, pattern: type[0] }] : [])),
		...(plan.leading ? [{ tag: `${i} leading`, pattern: plan.leading, prefix: true }] : []),
	]);
	return automaton.build(patterns, (tags, length) => {
		for (const [i, plan] of plans.entries()) {
			const has = (what) => tags.has(`${i} ${what}`);
			const type = typeOf(plan, has, length);
			const belongs = plan.leading ? has("leading") && (type || plan.lengths.includes(length)) : type;
			if (belongs) return 1 + i * TYPES + typeNumbers.indexOf(type || "UNKNOWN");
		}
		return 0;
	});
}

// ---- what is dialled before a national number: taken off, or replaced

// Every way through what may be left out that has a capture in it.
function ways(node) {
	const captures = (inside) => JSON.stringify(inside).includes('"capture"');
	if (!captures(node)) return [[node]];
	if (node.kind === "choice") return node.ways.flatMap(ways);
	if (node.kind === "repeat") return [...ways(node.inside), []];
	if (node.kind === "sequence")
		return node.parts.reduce((soFar, part) => soFar.flatMap((way) => ways(part).map((more) => [...way, ...more])), [[]]);
	return [[node]];
}

const textOf = (nodes) => nodes.map(nodeText).join("");
function nodeText(node) {
	if (node.kind === "digit") return `[${node.digits.join("")}]`;
	if (node.kind === "sequence") return textOf(node.parts);
	if (node.kind === "choice") return `(?:${node.ways.map(nodeText).join("|")})`;
	if (node.kind === "repeat") return `(?:${nodeText(node.inside)}){${node.min},${node.max}}`;
	if (node.kind === "capture") return nodeText(node.inside);
	throw new Error(`no text for "${node.kind}"`);
}

const stateOf = (pattern) => automaton.build([{ tag: 1, pattern }], yes);

function literal(nodes) {
	return nodes
		.map((node) => {
			if (node.kind === "sequence") return literal(node.parts);
			if (node.kind !== "digit" || node.digits.length !== 1) throw new Error("more than a text stands behind a capture");
			return String(node.digits[0]);
		})
		.join("");
}

// One way as a rule: what is taken off, what is kept behind it, what is taken off behind that, what is put in front.
function ruleOf(plan, way) {
	const captures = way.flatMap((node, i) => (node.kind === "capture" ? [i] : []));
	const kept = plan.transform ? captures[Number(/\$(\d)/.exec(plan.transform)[1]) - 1] : undefined;
	if (kept === undefined) return { before: stateOf(textOf(way)), kept: 0, after: "", toEnd: 0, insert: "" };
	const behind = way.slice(kept + 1);
	const toEnd = behind.at(-1)?.kind === "end";
	return {
		before: stateOf(textOf(way.slice(0, kept))),
		kept: stateOf(textOf([way[kept]])),
		after: literal(toEnd ? behind.slice(0, -1) : behind),
		toEnd: Number(toEnd),
		insert: plan.transform.replace(/\$\d/, ""),
	};
}

const rulesOf = (plan) => (plan.parsing ? ways(parsePattern(plan.parsing)).map((way) => ruleOf(plan, way)) : []);

// ---- how a number is written

function lengthsOf(node) {
	if (node.kind === "digit") return [1, 1];
	if (node.kind === "sequence") return node.parts.map(lengthsOf).reduce((a, b) => [a[0] + b[0], a[1] + b[1]], [0, 0]);
	if (node.kind === "repeat") {
		const [min, max] = lengthsOf(node.inside);
		return [min * node.min, max * node.max];
	}
	if (node.kind === "choice") {
		const all = node.ways.map(lengthsOf);
		return [Math.min(...all.map((way) => way[0])), Math.max(...all.map((way) => way[1]))];
	}
	throw new Error(`a group of a format cannot hold "${node.kind}"`);
}

function formatOf(row, plan) {
	const [pattern, text, leading, rule, optional, international] = row;
	const node = parsePattern(pattern);
	const groups = node.kind === "sequence" ? node.parts : [node];
	if (!groups.every((group) => group.kind === "capture")) throw new Error(`the format ${pattern} is more than groups`);
	const detailed = leading?.at(-1);
	const patterns = [{ tag: "whole", pattern }];
	if (detailed) patterns.push({ tag: "leading", pattern: detailed, prefix: true });
	const national = rule || plan.nationalFormat;
	const prefixed = Boolean(national) && !/^\(?\$1\)?$/.test(national);
	return {
		state: automaton.build(patterns, (tags) => (tags.has("whole") && (!detailed || tags.has("leading")) ? 1 : 0)),
		groups: groups.map((group) => lengthsOf(group.inside)),
		international: (international || text).replace(/[-.()[\]/~\s]+/g, " ").trim(),
		bare: Number(!prefixed || Boolean(optional) || plan.optional),
		national: national ? text.replace(/\$\d/, (group) => national.replace("$1", group)) : text,
	};
}

// ---- the table

const shortestOf = (state) => {
	for (let front = [[state, ""]]; ; ) {
		const found = front.find(([at]) => automaton.states[at].label);
		if (found) return found[1];
		front = front.flatMap(([at, text]) => automaton.states[at].next.flatMap((to, d) => (to ? [[to, text + d]] : [])));
	}
};

function internationalOf(plan) {
	if (!plan.international) return { state: 0, text: "" };
	const state = stateOf(plan.international);
	const text = plan.preferred || (/^\d+$/.test(plan.international) ? plan.international : shortestOf(state));
	return { state, text };
}

function table() {
	const callings = [], regions = [], rules = [], formats = [];
	const all = [
		...Object.entries(metadata.country_calling_codes).map(([calling, countries]) => ({
			calling,
			plans: countries.map((iso) => ({ iso, ...planOf(metadata.countries[iso]) })),
		})),
		...Object.entries(metadata.nonGeographic).map(([calling, row]) => ({ calling, plans: [{ iso: "", ...planOf(row) }] })),
	].sort((a, b) => (a.calling < b.calling ? -1 : 1));
	for (const { calling, plans } of all) {
		const main = plans[0];
		callings.push(`CALLING("${calling}", ${typesState(plans)}, ${regions.length}, ${plans.length})`);
		const shared = formats.length;
		formats.push(...main.formats.map((row) => formatOf(row, main)));
		const sharedCount = formats.length - shared;
		for (const plan of plans) {
			let first = shared, count = sharedCount;
			if (plan !== main && plan.formats.length) {
				first = formats.length;
				count = plan.formats.length;
				formats.push(...plan.formats.map((row) => formatOf(row, {
						...plan,
						nationalFormat: plan.nationalFormat || main.nationalFormat,
						optional: plan.optional || main.optional,
					})));
			}
			const own = rulesOf(plan);
			const international = internationalOf(plan);
			const lengths = plan.lengths.reduce((mask, length) => mask | (1 << length), 0);
			regions.push(
				`REGION("${plan.iso}", "${calling}", "${international.text}", "${plan.national}", ` +
					`0x${lengths.toString(16)}, ${international.state}, ${stateOf(plan.general)}, ` +
					`${rules.length}, ${own.length}, ${first}, ${count})`,
			);
			rules.push(...own);
		}
	}
	return {
		callings,
		regions,
		rules: rules.map((r) => `RULE(${r.before}, ${r.kept}, "${r.after}", ${r.toEnd}, "${r.insert}")`),
		formats: formats.map((f) => {
			const groups = f.groups.map(([min, max]) => min.toString(16) + max.toString(16)).join("");
			if (!/^([\da-f]{2})+$/.test(groups) || groups.length !== 2 * f.groups.length) throw new Error("a group is too long");
			return `FORMAT(${f.state}, ${f.bare}, "${groups}", "${f.international}", "${f.national}")`;
		}),
	};
}

// An edge: where to, whether it is the state's last, for which digits.
function edgesOf(state) {
	const masks = new Map();
	state.next.forEach((to, digit) => to && masks.set(to, (masks.get(to) ?? 0) | (1 << digit)));
	const all = [...masks];
	return all.map(([to, mask], i) => (to << 11) | (i === all.length - 1 ? 1 << 10 : 0) | mask);
}

function lines(macro, numbers) {
	const rows = [];
	for (let i = 0; i < numbers.length; i += 24) rows.push(`${macro}(${numbers.slice(i, i + 24).join(",")})`);
	return rows;
}

// Bit n: a number may end n digits further on.
function remainingOf(states) {
	const masks = [];
	for (const state of states) masks.push(state.next.reduce((mask, to) => (to ? mask | (masks[to] << 1) : mask), Number(state.label > 0)));
	return masks; // a state leads only to those made before it
}

function text() {
	const { callings, regions, rules, formats } = table();
	const edges = [], states = [];
	for (const state of automaton.states) {
		const own = edgesOf(state);
		states.push(own.length ? edges.length : 65535, state.label);
		edges.push(...own);
	}
	if (edges.length >= 65535 || automaton.states.length >= 1 << 16) throw new Error("the automaton is too large for its C side");
	const macros = ["CALLING", "REGION", "RULE", "FORMAT", "STATES", "REMAINING", "EDGES"];
	return [
		`// Made from the metadata of libphonenumber-js ${packageOf.version} (MIT; the metadata Apache-2.0) by`,
		"// web/number_regions/generate.mjs; number_region.c says what the rows mean.",
		...macros.flatMap((macro) => [`#ifndef ${macro}`, `#define ${macro}(...)`, "#endif"]),
		...callings,
		...regions,
		...rules,
		...formats,
		...lines("STATES", states),
		...lines("REMAINING", remainingOf(automaton.states)),
		...lines("EDGES", edges),
		...macros.map((macro) => `#undef ${macro}`),
		"",
	].join("\n");
}

const made = text();
if (process.argv[2] === "check") {
	if (readFileSync(target, "utf8") !== made) {
		console.error("src/domain/number_regions.def is not what web/number_regions/generate.mjs makes: run `npm run numbers` in web/.");
		process.exit(1);
	}
	console.log("src/domain/number_regions.def is what the metadata makes.");
} else writeFileSync(target, made);
