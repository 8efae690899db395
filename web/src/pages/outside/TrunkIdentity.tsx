// Who calls, as a trunk is told and believed: names and forms of numbers.
import { useTranslation } from "react-i18next";
import type { Trunk } from "../../api/resources";
import { ChoiceField, SwitchField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import type { Editor } from "../../parts/useEditor";

export const identityNames = ["called_format", "caller_format", "asserted_identity", "trusts_asserted_identity", "from_user", "from_name"] as const;
export type IdentityValue = Pick<Required<Trunk>, (typeof identityNames)[number]>;
export const identityBlank: IdentityValue = {
	called_format: "e164",
	caller_format: "e164",
	asserted_identity: "always",
	trusts_asserted_identity: true,
	from_user: "caller",
	from_name: true,
};

const formats = ["e164", "e164_no_plus", "international", "national"] as const;

export function TrunkIdentity<V extends IdentityValue>({ form }: { form: Editor<V> }) {
	const { t } = useTranslation();
	const own = form as unknown as Editor<IdentityValue>;
	const formatOptions = formats.map((value) => ({ value, label: t(`outside.formats.${value}`) }));
	return (
		<Card title={t("outside.identity")} text={t("outside.identityText")}>
			<Fields>
				<ChoiceField form={own} name="called_format" label={t("outside.calledFormat")} hint={t("outside.calledFormatHint")} options={formatOptions} />
				<ChoiceField form={own} name="caller_format" label={t("outside.callerFormat")} options={formatOptions} />
				<ChoiceField
					form={own}
					name="from_user"
					label={t("outside.fromUser")}
					hint={t("outside.fromUserHint")}
					options={(["caller", "account"] as const).map((value) => ({ value, label: t(`outside.fromUsers.${value}`) }))}
				/>
				<ChoiceField
					form={own}
					name="asserted_identity"
					label={t("outside.asserted")}
					hint={t("outside.assertedHint")}
					options={(["always", "public", "never"] as const).map((value) => ({ value, label: t(`outside.asserteds.${value}`) }))}
				/>
				<SwitchField form={own} name="from_name" label={t("outside.fromName")} hint={t("outside.fromNameHint")} />
				<SwitchField form={own} name="trusts_asserted_identity" label={t("outside.trustsAsserted")} hint={t("outside.trustsAssertedHint")} />
			</Fields>
		</Card>
	);
}
