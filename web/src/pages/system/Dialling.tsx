// How the site dials: a card of the settings, with a field to try it.
import { Select, Stack, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { countries, countryName } from "../../parts/countries";
import { Dialled } from "../../parts/Dialled";
import { TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import type { Editor } from "../../parts/useEditor";

export interface DiallingValue {
	country: string;
	area_code: string;
	international_prefix: string;
	national_prefix: string;
	outside_prefix: string;
	emergency: string;
	short_codes: string;
}

export function useDiallingLabels(): Record<keyof DiallingValue, string> {
	const { t } = useTranslation();
	return {
		country: t("dialling.country"),
		area_code: t("dialling.areaCode"),
		international_prefix: t("dialling.international"),
		national_prefix: t("dialling.national"),
		outside_prefix: t("dialling.outside"),
		emergency: t("dialling.emergencyCodes"),
		short_codes: t("dialling.shortCodes"),
	};
}

export function Dialling<V extends DiallingValue>({ form: whole }: { form: Editor<V> }) {
	const { t, i18n } = useTranslation();
	const form = whole as unknown as Editor<DiallingValue>; // its fields are all that is used
	const labels = useDiallingLabels();
	const [tried, setTried] = useState("");
	const options = useMemo(
		() =>
			countries
				.map((value) => ({ value, label: `${countryName(value, i18n.language)} (${value})` }))
				.sort((a, b) => a.label.localeCompare(b.label, i18n.language)),
		[i18n.language],
	);
	return (
		<Card title={t("dialling.title")} text={t("dialling.text")}>
			<Fields>
				<Select
					name="country"
					label={labels.country}
					description={t("dialling.countryHint")}
					inputWrapperOrder={["label", "input", "description", "error"]}
					data={options}
					value={form.value.country}
					error={form.errors["country"]}
					searchable
					allowDeselect={false}
					readOnly={form.locked}
					onChange={(next) => next && form.set("country", next)}
				/>
				<TextField form={form} name="area_code" label={labels.area_code} max={8} mode="tel" hint={t("dialling.areaCodeHint")} />
				<TextField form={form} name="international_prefix" label={labels.international_prefix} max={8} mode="tel" hint={t("dialling.usual")} />
				<TextField form={form} name="national_prefix" label={labels.national_prefix} max={4} hint={t("dialling.nationalHint")} />
				<TextField form={form} name="outside_prefix" label={labels.outside_prefix} max={4} mode="tel" hint={t("dialling.outsideHint")} />
				<TextField form={form} name="emergency" label={labels.emergency} max={100} mode="tel" hint={t("dialling.emergencyHint")} />
				<TextField form={form} name="short_codes" label={labels.short_codes} max={200} hint={t("dialling.shortHint")} />
				<Stack gap={6}>
					<TextInput
						label={t("dialling.tryIt")}
						description={t("dialling.tryHint")}
						inputWrapperOrder={["label", "input", "description"]}
						inputMode="tel"
						maxLength={40}
						value={tried}
						onChange={(event) => setTried(event.currentTarget.value)}
					/>
					{tried && <Dialled number={tried} routed />}
				</Stack>
			</Fields>
		</Card>
	);
}
