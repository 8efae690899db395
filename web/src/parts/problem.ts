// A refusal in the reader's language: by its code, with the server's own sentence (English) where that says more.
import { useTranslation } from "react-i18next";
import i18next from "i18next";
import { Problem, type ProblemDocument } from "../api/client";

type Said = Pick<ProblemDocument["field"][number], "code" | "sentence">;

export function problemSentence({ code, sentence }: Said): string {
	const key = `problems.${code}`;
	const known = i18next.exists(key) ? i18next.t(key as "problems.internal") : null;
	if (!sentence) return known ?? i18next.t("problems.internal");
	if (i18next.language === "en" || !known) return code === "no_connection" && known ? known : sentence;
	return code === "no_connection" || sentence === i18next.getFixedT("en")(key as "problems.internal")
		? known
		: `${known} (${sentence})`;
}

export function useProblemSentence(): (error: unknown) => string {
	useTranslation(); // another language draws it anew
	return (error) =>
		error instanceof Problem
			? problemSentence({ code: error.code, sentence: error.message })
			: problemSentence({ code: "internal", sentence: "" });
}
