// The card of the settings that is about presence in MS Teams: whom to ask, and how that goes.
import { Badge, Group, PasswordInput, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { NumberField, SwitchField, TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import { moment } from "../../parts/time";
import type { Editor } from "../../parts/useEditor";

export interface PresenceValue {
	graph_presence: boolean;
	graph_tenant: string;
	graph_client_id: string;
	graph_client_secret: string; // empty: the one that is kept
	graph_poll_s: number;
	graph_login_url: string;
	graph_url: string;
}

export function usePresenceLabels(): Record<keyof PresenceValue, string> {
	const { t } = useTranslation();
	return {
		graph_presence: t("presence.on"),
		graph_tenant: t("presence.tenant"),
		graph_client_id: t("presence.clientId"),
		graph_client_secret: t("presence.secret"),
		graph_poll_s: t("presence.poll"),
		graph_login_url: t("presence.loginUrl"),
		graph_url: t("presence.graphUrl"),
	};
}

const AGAIN_MS = 5000;
const colors = { off: "gray", starting: "gray", working: "teal", waiting: "orange", refused: "red" } as const;

function State() {
	const { t } = useTranslation();
	const { data } = useQuery({
		queryKey: ["teams-presence"],
		queryFn: async ({ signal }) => (await request<Schemas["TeamsPresence"]>("GET", "/teams-presence", { signal })).data,
		refetchInterval: AGAIN_MS,
	});
	if (!data || data.state === "off") return null;
	return (
		<Group gap="sm" mt="md" role="status">
			<Badge variant="light" tt="none" color={colors[data.state]}>
				{t(`presence.states.${data.state}`)}
			</Badge>
			<Text size="sm">
				{data.sentence || (data.heard_at && t("presence.heard", { known: data.known, users: data.users, at: moment(data.heard_at) }))}
			</Text>
		</Group>
	);
}

export function TeamsPresence<V extends PresenceValue>({ form, secretIsSet }: { form: Editor<V>; secretIsSet: boolean }) {
	const { t } = useTranslation();
	const own = form as unknown as Editor<PresenceValue>;
	const labels = usePresenceLabels();
	return (
		<Card title={t("presence.card")} text={t("presence.text")}>
			<Fields>
				<SwitchField form={own} name="graph_presence" label={labels.graph_presence} />
				<TextField form={own} name="graph_tenant" label={labels.graph_tenant} max={253} placeholder="example.onmicrosoft.com" hint={t("presence.tenantHint")} />
				<TextField form={own} name="graph_client_id" label={labels.graph_client_id} max={64} hint={t("presence.clientIdHint")} />
				<PasswordInput
					label={labels.graph_client_secret}
					description={t(secretIsSet ? "presence.secretKept" : "presence.secretNone")}
					inputWrapperOrder={["label", "input", "description", "error"]}
					name="graph_client_secret"
					autoComplete="new-password"
					maxLength={256}
					error={own.errors["graph_client_secret"]}
					readOnly={own.locked}
					value={own.value.graph_client_secret}
					onChange={(event) => own.set("graph_client_secret", event.currentTarget.value)}
				/>
				<NumberField form={own} name="graph_poll_s" label={labels.graph_poll_s} min={5} max={3600} suffix=" s" />
				<TextField form={own} name="graph_login_url" label={labels.graph_login_url} max={200} hint={t("presence.urlHint")} />
				<TextField form={own} name="graph_url" label={labels.graph_url} max={200} hint={t("presence.urlHint")} />
			</Fields>
			<State />
		</Card>
	);
}
