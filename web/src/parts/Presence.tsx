// How a device's Teams user is, as Microsoft says: a dot and a word, and what they do where that says more.
import { Group, Text, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Device } from "../api/resources";
import classes from "./Presence.module.css";
import { activityOf } from "./presence";
import { moment } from "./time";

export type PresenceNow = NonNullable<Device["presence"]>;

export function Presence({ presence }: { presence: PresenceNow }) {
	const { t } = useTranslation();
	const activity = activityOf(presence.activity);
	return (
		<Tooltip label={presence.at ? t("presence.toldAt", { at: moment(presence.at) }) : t("presence.neverTold")}>
			<Group gap={6} wrap="nowrap" w="fit-content" component="span" tabIndex={0}>
				<span className={classes.dot} data-availability={presence.availability} aria-hidden />
				<Text size="xs" component="span">
					{t(`presence.availabilities.${presence.availability}`)}
					{activity && ` (${t(`presence.activities.${activity}`)})`}
				</Text>
			</Group>
		</Tooltip>
	);
}
