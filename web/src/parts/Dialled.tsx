// How a number that is being typed will be dialled: live, before anything is saved.
import { Group, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconPhoneCall from "@tabler/icons-react/icons/IconPhoneCall";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Problem, request, type Schemas } from "../api/client";
import { countryName } from "./countries";
import { problemSentence } from "./problem";

type Explanation = Schemas["NumberExplanation"];

export function useExplanation(number: string) {
	const [asked] = useDebouncedValue(number.trim(), 250);
	const { data, error } = useQuery({
		queryKey: ["explain", asked],
		queryFn: async ({ signal }) => (await request<Explanation>("GET", "/numbers/explain", { query: { number: asked }, signal })).data,
		enabled: asked.length > 1,
		retry: false,
	});
	return asked.length > 1 ? { data, error } : { data: undefined, error: null };
}

// "Dialled as +44 1444 123456 (United Kingdom)."
export function useDialledAs() {
	const { t, i18n } = useTranslation();
	return (number: Explanation) => {
		const name = number.country ? countryName(number.country, i18n.language) : number.country_name;
		if (number.class === "emergency") return t("dialling.emergency", { number: number.canonical });
		if (!name) return t("dialling.short", { number: number.canonical });
		return [
			t("dialling.as", { number: number.international, country: name }),
			number.type === "unknown" ? t("dialling.unknown") : number.type === "fixed" ? "" : `${t(`dialling.types.${number.type}`)}.`,
		]
			.filter(Boolean)
			.join(" ");
	};
}

// `routed`: also over which trunk, for what is going to be called.
export function Dialled({ number, routed }: { number: string; routed?: boolean }) {
	const { t } = useTranslation();
	const dialledAs = useDialledAs();
	const { data, error } = useExplanation(number);
	const route = data?.routes.find((each) => each.enabled);
	const said = error
		? error instanceof Problem
			? problemSentence(error.field[0] ?? { code: error.code, sentence: error.message })
			: ""
		: data
			? [
					dialledAs(data),
					routed && (route ? t("devices.over", { trunk: route.trunk }) : t("devices.noRoute")),
					routed && data.did && t("devices.ownNumber", { name: data.did.title }),
				]
					.filter(Boolean)
					.join(" ")
			: "";
	return (
		<Group gap={6} wrap="nowrap" align="flex-start" aria-live="polite" data-testid="dialled">
			{said && <IconPhoneCall size={16} aria-hidden style={{ flex: "none", marginTop: 2 }} />}
			<Text size="sm" fw={550} c={error ? "red" : undefined}>
				{said}
			</Text>
		</Group>
	);
}

// An extension that is a code as well: which of them is called.
export function ExtensionIsCode({ extension }: { extension: string }) {
	const { t } = useTranslation();
	const { data } = useExplanation(/^\d{2,8}$/.test(extension) ? extension : "");
	if (!data?.listed) return null;
	return (
		<Text size="sm" fw={550} c={data.class === "emergency" ? "red" : undefined} aria-live="polite">
			{t(data.class === "emergency" ? "dialling.extensionEmergency" : "dialling.extensionShort", { number: extension })}
		</Text>
	);
}
