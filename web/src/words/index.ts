// Every sentence that is shown, in each language: a file per part of the console, where both languages stand side by side.
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { account } from "./account";
import { agent } from "./agent";
import { answerTimes } from "./answerTimes";
import { audit } from "./audit";
import { csv } from "./csv";
import { devices } from "./devices";
import { dialling } from "./dialling";
import { forms } from "./forms";
import { lists } from "./lists";
import { calls, records, registrations, signIns, status } from "./live";
import { numbers } from "./numbers";
import { outside } from "./outside";
import { phone } from "./phone";
import { presence } from "./presence";
import { problems } from "./problems";
import { prompts } from "./prompts";
import { ringPlan } from "./ringPlan";
import { shell } from "./shell";
import { settings, tokens } from "./system";
import { tryNumber } from "./tryNumber";
import { users } from "./users";

const parts = {
	shell,
	lists,
	forms,
	phone,
	presence,
	problems,
	prompts,
	ringPlan,
	users,
	devices,
	dialling,
	numbers,
	tryNumber,
	outside,
	calls,
	records,
	registrations,
	signIns,
	status,
	account,
	agent,
	answerTimes,
	audit,
	settings,
	tokens,
	csv,
};

type Parts = typeof parts;
type In<L extends "en" | "cs"> = { [P in keyof Parts]: Parts[P][L] };

function gather<L extends "en" | "cs">(language: L): In<L> {
	return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part[language]])) as In<L>;
}
export const words = { en: gather("en"), cs: gather("cs") };

export const languages = { en: "English", cs: "Čeština" } as const;
export type Language = keyof typeof languages;

declare module "i18next" {
	interface CustomTypeOptions {
		defaultNS: "translation";
		resources: { translation: In<"en"> };
	}
}

const kept = "carillon.language";

function languageFirst(): Language {
	const chosen = localStorage.getItem(kept) ?? navigator.language.slice(0, 2);
	return chosen in languages ? (chosen as Language) : "en";
}

export function languageSet(language: Language): void {
	localStorage.setItem(kept, language);
	void i18next.changeLanguage(language);
}

export function wordsBegin(): void {
	void i18next.use(initReactI18next).init({
		lng: languageFirst(),
		fallbackLng: "en",
		resources: { en: { translation: words.en }, cs: { translation: words.cs } },
		interpolation: { escapeValue: false }, // React does it
		initAsync: false,
	});
	const say = () => document.documentElement.setAttribute("lang", i18next.language);
	i18next.on("languageChanged", say);
	say();
}
