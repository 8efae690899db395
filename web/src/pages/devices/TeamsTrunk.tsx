// The trunk over which a Teams user is reached now, and how it is.
import { Badge, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Schemas } from "../../api/client";
import { trunkUsed } from "../outside/service";
import { ServiceBadge, useTrunkStates } from "../outside/TrunkState";

export function TeamsTrunk({ trunks }: { trunks: Schemas["TrunkBrief"][] }) {
	const { t } = useTranslation();
	const { data: states } = useTrunkStates();
	const used = trunkUsed(trunks, states);
	if (!used)
		return (
			<Badge variant="light" tt="none" miw="max-content" color="red">
				{t("devices.noTeamsTrunk")}
			</Badge>
		);
	const { trunk, service, others } = used;
	return (
		<Stack gap={0} component="span">
			<Group gap="xs" wrap="nowrap" component="span">
				<Link href={`/trunks/${trunk.id}`} className="link">
					{trunk.title}
				</Link>
				{trunk.enabled ? (
					<ServiceBadge service={service} />
				) : (
					<Badge variant="light" tt="none" miw="max-content" color="red">
						{t("outside.off")}
					</Badge>
				)}
			</Group>
			{others.length > 0 && (
				<Text size="xs" c="dimmed" component="span">
					{t("devices.otherTrunks", { titles: others.map((other) => other.title).join(", ") })}
				</Text>
			)}
		</Stack>
	);
}
