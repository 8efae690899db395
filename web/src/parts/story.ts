// What a caller experiences, in words.
import { useTranslation } from "react-i18next";
import { storyOf, type Bar, type Phrase } from "./ringPlan";

export interface Afterwards {
	unanswered: "busy" | "hang_up" | "extension" | "outside";
	target: string;
}

export function useStory(): (bars: readonly Bar[], names: readonly string[], afterwards: Afterwards) => string {
	const { t, i18n } = useTranslation();
	return (bars, names, { unanswered, target }) => {
		const list = new Intl.ListFormat(i18n.language, { type: "conjunction" });
		const said = (phrase: Phrase): string => {
			if (phrase.kind === "nobody") return t("ringPlan.story.nobody");
			const seconds = t("ringPlan.seconds", { count: phrase.at });
			if (phrase.kind === "end") {
				const what = t(`ringPlan.story.afterwards.${unanswered}`, { target: target || "…" });
				return phrase.at === 0 ? what : t("ringPlan.story.end", { seconds, what });
			}
			if (phrase.kind === "silence") return phrase.at === 0 ? t("ringPlan.story.silenceFirst") : t("ringPlan.story.silence", { seconds });
			return t(`ringPlan.story.${phrase.kind}`, {
				names: list.format(phrase.who.map((at) => names[at] ?? "?")),
				seconds,
				count: phrase.who.length,
			});
		};
		const sentence = storyOf(bars).map(said).join("; ");
		return `${sentence.charAt(0).toLocaleUpperCase(i18n.language)}${sentence.slice(1)}.`;
	};
}
