// Holds the server's reading of numbers against libphonenumber-js: thousands of numbers of every country and type, each spelt
// in every way that its country writes it.
//   web/with-node node web/number_regions/compare.mjs build-check/test/domain/number_lines
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { parsePattern } from "./automaton.mjs";

const require = createRequire(import.meta.url);
const { parsePhoneNumberFromString } = require("libphonenumber-js/max");
const metadata = require("libphonenumber-js/metadata.max.json");
const examples = require("libphonenumber-js/examples.mobile.json");

let seed = 20240229;
const random = (below) => {
	seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
	return (seed >>> 8) % below;
};

function sample(node) {
	if (node.kind === "digit") return String(node.digits[random(node.digits.length)]);
	if (node.kind === "sequence") return node.parts.map(sample).join("");
	if (node.kind === "choice") return sample(node.ways[random(node.ways.length)]);
	if (node.kind === "capture") return sample(node.inside);
	if (node.kind === "repeat") {
		const times = node.min + random(node.max - node.min + 1);
		return Array.from({ length: times }, () => sample(node.inside)).join("");
	}
	return "";
}

const types = {
	FIXED_LINE: "fixed",
	FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
	MOBILE: "mobile",
	PREMIUM_RATE: "premium",
	TOLL_FREE: "toll_free",
	SHARED_COST: "shared_cost",
	VOIP: "voip",
	PERSONAL_NUMBER: "personal",
	PAGER: "pager",
	UAN: "company",
	VOICEMAIL: "voicemail",
	undefined: "unknown",
};

// ---- what is asked

const questions = [];
const ask = (country, text, kind) => questions.push({ country, text, kind });

for (const [country, row] of Object.entries(metadata.countries)) {
	const abroad = /^[\d~]+$/.test(row[12] || row[1]) ? (row[12] || row[1]).replace("~", "") : "";
	const nationals = new Set([examples[country]]);
	for (const type of row[11] || []) {
		if (!type || !type[0]) continue;
		for (let i = 0; i < 4; i++) nationals.add(sample(parsePattern(type[0])));
	}
	for (const national of nationals) {
		const number = parsePhoneNumberFromString(`+${row[0]}${national}`);
		if (!number) continue;
		ask(country, number.number, "E.164");
		ask(country, number.formatInternational(), "international");
		ask(country, number.formatNational(), "national");
		if (abroad) ask(country, `${abroad} ${number.formatInternational().slice(1)}`, "from abroad");
		ask(country, number.number.slice(0, -1), "one digit less");
		ask(country, `${number.number}${random(10)}`, "one digit more");
		ask("GB", number.formatInternational(), "seen from elsewhere");
	}
}

const program = spawnSync(process.argv[2], { input: questions.map((q) => `${q.country}\t${q.text}\n`).join(""), encoding: "utf8", maxBuffer: 1 << 28 });
const answers = program.stdout.split("\n");

// ---- what is answered

// Departures that are meant. Each says why, and which it is.
const meant = [
	{
		why: "a number that is no national one is a short code here, and 2 to 6 digits are never guessed to be more",
		is: (q, ours) => q.kind === "national" && /^\d{2,6}$/.test(ours.number),
	},
	{
		why: "a length that no number beginning so has is refused, though numbers of that country may have it",
		is: (q, ours, theirs) => ours.refused && theirs && !theirs.isValid(),
	},
	{
		why: "where several prefixes for calls abroad begin alike, the usual one is looked for first",
		is: (q, ours, theirs) => q.kind === "from abroad" && theirs && !theirs.isPossible() && !ours.refused,
	},
	{
		why: "a number of nobody's is let through when the countries of its calling code have numbers of that length",
		is: (q, ours, theirs) => ours.type === "unknown" && theirs && !theirs.isValid() && ours.number === theirs.number,
	},
	{
		why: "the national form lacks the prefix that the country dials, so it could be a number of elsewhere",
		is: (q, ours, theirs) => q.kind === "national" && ours.refused && /could be two things/.test(ours.sentence) && theirs,
	},
];

const counts = new Map();
const count = (name) => counts.set(name, (counts.get(name) ?? 0) + 1);
const wrong = [];
questions.forEach((q, i) => {
	const [number, type, country, international, national] = (answers[i] ?? "").split("\t");
	const ours = number.startsWith("!") ? { refused: true, sentence: number } : { number, type, country, international, national };
	const theirs = parsePhoneNumberFromString(q.text, q.country);
	const theyAccept = Boolean(theirs && theirs.isPossible());
	const same = ours.refused
		? !theyAccept
		: theyAccept &&
			ours.number === theirs.number &&
			ours.type === types[theirs.getType()] &&
			(!theirs.country || ours.country === theirs.country) &&
			(!theirs.isValid() || (ours.international === theirs.formatInternational() && ours.national === theirs.formatNational()));
	if (same) return count(ours.refused ? "both refuse" : "both agree");
	const departure = meant.find((each) => each.is(q, ours, theirs));
	if (departure) return count(`departs: ${departure.why}`);
	wrong.push(`${q.country} ${q.kind} "${q.text}": ours ${answers[i]}; theirs ${theirs?.number} ${theirs?.getType()} ${theirs?.country} ` +
		`${theirs?.formatInternational()} ${theirs?.formatNational()} ${theyAccept ? "possible" : "impossible"}`);
});

console.log(`${questions.length} numbers of ${Object.keys(metadata.countries).length} countries`);
for (const [name, n] of counts) console.log(`${String(n).padStart(7)}  ${name}`);
if (wrong.length) {
	console.log(`${String(wrong.length).padStart(7)}  not meant:`);
	wrong.slice(0, 60).forEach((line) => console.log(line));
	process.exit(1);
}
