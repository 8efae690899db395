// The name of a user, recorded: who is asked to press 1 hears it in place of the extension.
import { Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { Card } from "../../parts/FormPage";
import { RecordingTools } from "../../parts/RecordingTools";
import { moment } from "../../parts/time";

export function RecordedName({ id, name }: { id: string; name: string }) {
	const { t } = useTranslation();
	const { data } = useQuery({
		queryKey: ["recorded-name", id],
		queryFn: async ({ signal }) => (await request<Schemas["RecordedName"]>("GET", `/users/${id}/recorded-name`, { signal })).data,
	});
	if (!data) return null;
	return (
		<Card title={t("prompts.name")} text={t("prompts.nameText", { most: data.longest_s })}>
			<Group justify="space-between" gap="sm">
				<Text size="sm">{data.recorded_at ? t("prompts.own", { when: moment(data.recorded_at) }) : t("prompts.noName")}</Text>
				<RecordingTools
					path={`/users/${id}/recorded-name/recording`}
					name={name}
					heard={data.recorded_at !== null}
					recorded={data.recorded_at !== null}
					removeLabel={t("lists.delete")}
					removeText={t("prompts.nameDeleteText")}
					changed="recorded-name"
				/>
			</Group>
		</Card>
	);
}
