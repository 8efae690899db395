// How the legs of a call were heard, as far as the media relay saw, and why it carried them.
import { Badge, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { CallRecord } from "../../parts/timeline";
import { rowsOfQuality, type QualityRow } from "../../parts/quality";

const colors = { good: "teal", fair: "yellow", poor: "red" } as const;

function Rating({ quality }: { quality: QualityRow["quality"] }) {
	const { t } = useTranslation();
	if (!quality) return <Text size="sm" c="dimmed">{t("records.heard.unknown")}</Text>;
	if (!quality.rating || quality.mos === null)
		return <Text size="sm" c="dimmed">{t(quality.packets ? "records.heard.unrated" : "records.heard.silent")}</Text>;
	return (
		<Badge variant="light" color={colors[quality.rating]} tt="none" autoContrast>
			{t(`records.heard.ratings.${quality.rating}`)} ({quality.mos.toFixed(1)})
		</Badge>
	);
}

export function Heard({ record }: { record: CallRecord }) {
	const { t } = useTranslation();
	const rows = rowsOfQuality(record);
	if (!rows.length) return null;
	return (
		<section className="card" aria-label={t("records.heard.title")}>
			<Text fw={600} component="h2" size="md" mt={0} mb={4}>
				{t("records.heard.title")}
			</Text>
			<Text size="sm" c="dimmed" mb="sm">
				{t("records.heard.text")}
			</Text>
			<Table.ScrollContainer minWidth={640}>
				<Table verticalSpacing={6}>
					<Table.Thead>
						<Table.Tr>
							<Table.Th>{t("records.heard.from")}</Table.Th>
							<Table.Th>{t("records.heard.mos")}</Table.Th>
							<Table.Th>{t("records.heard.loss")}</Table.Th>
							<Table.Th>{t("records.heard.jitter")}</Table.Th>
							<Table.Th>{t("records.heard.codec")}</Table.Th>
							<Table.Th>{t("records.heard.relay")}</Table.Th>
							<Table.Th>{t("records.heard.why")}</Table.Th>
						</Table.Tr>
					</Table.Thead>
					<Table.Tbody>
						{rows.map(({ key, name, quality, reason }) => (
							<Table.Tr key={key}>
								<Table.Td>{name ?? t("records.caller")}</Table.Td>
								<Table.Td>
									<Rating quality={quality} />
								</Table.Td>
								<Table.Td className="numeric">{quality ? t("records.heard.lost", { percent: quality.loss_percent.toFixed(1), lost: quality.lost }) : "–"}</Table.Td>
								<Table.Td className="numeric">{quality ? `${quality.jitter_ms} ms` : "–"}</Table.Td>
								<Table.Td>{quality?.codec || "–"}</Table.Td>
								<Table.Td>{quality?.relay || "–"}</Table.Td>
								<Table.Td>{reason ? t(`records.heard.reasons.${reason}`) : "–"}</Table.Td>
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			</Table.ScrollContainer>
		</section>
	);
}
