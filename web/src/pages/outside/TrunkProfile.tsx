// What stands at the other end of a trunk. MS Teams leaves little to choose, so that is filled in.
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { Trunk } from "../../api/resources";
import { ChoiceField, TextField } from "../../parts/fields";
import type { Editor } from "../../parts/useEditor";

export const profileNames = ["profile", "own_host"] as const;
export type ProfileValue = Pick<Required<Trunk>, (typeof profileNames)[number]>;
export const profileBlank: ProfileValue = { profile: "carrier", own_host: "" };
type Filled = ProfileValue & Pick<Required<Trunk>, "host" | "transport" | "inbound" | "called_format" | "caller_format" | "from_user" | "registers">;

// Where the calls of Direct Routing come from, whichever region.
const teamsRanges = "52.112.0.0/14 52.122.0.0/15";

export function TrunkProfile<V extends Filled>({ form, isNew }: { form: Editor<V>; isNew: boolean }) {
	const { t } = useTranslation();
	const own = form as unknown as Editor<Filled>;
	const teams = own.value.profile === "teams";
	useEffect(() => {
		if (!teams || !isNew) return;
		own.set("transport", "tls");
		own.set("called_format", "e164");
		own.set("caller_format", "e164");
		own.set("from_user", "caller");
		own.set("registers", false);
		if (!own.value.host) own.set("host", "sip.pstnhub.microsoft.com");
		if (!own.value.inbound) own.set("inbound", teamsRanges);
	}, [teams, isNew]);
	return (
		<>
			<ChoiceField
				form={own}
				name="profile"
				label={t("outside.profile")}
				hint={t("outside.profileHint")}
				options={(["carrier", "teams"] as const).map((value) => ({ value, label: t(`outside.profiles.${value}`) }))}
			/>
			<TextField
				form={own}
				name="own_host"
				label={t("outside.ownHost")}
				max={253}
				required={teams}
				hint={t(teams ? "outside.ownHostTeams" : "outside.ownHostHint")}
				placeholder="sbc.example.com"
			/>
		</>
	);
}
