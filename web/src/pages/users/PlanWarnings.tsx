// What of a user's settings will not do what it looks like: loops of forwarding, numbers that are not ours.
import { Alert, List } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";

type Preview = Schemas["RingPlanPreview"];

export function PlanWarnings({ id }: { id: string | undefined }) {
	const { t } = useTranslation();
	const { data } = useQuery({
		queryKey: ["users", "preview", id],
		queryFn: async () => (await request<Preview>("GET", `/users/${id}/ring-plan/preview`)).data,
		enabled: id !== undefined,
		refetchInterval: 10_000,
	});
	if (!data?.warnings.length) return null;
	return (
		<Alert color="orange" variant="light" title={t("users.warningsTitle")}>
			<List size="sm">
				{data.warnings.map(({ code, detail }) => (
					<List.Item key={code}>{t(`users.warnings.${code}`, { detail })}</List.Item>
				))}
			</List>
		</Alert>
	);
}
