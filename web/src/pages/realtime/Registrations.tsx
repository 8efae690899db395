// Realtime → Registrations: where each device is now.
import { Badge, Button, Group, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import IconNone from "@tabler/icons-react/icons/IconPlugConnectedX";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { ButtonLink } from "../../parts/ButtonLink";
import { PageHead } from "../../parts/PageHead";
import { SimpleTable } from "../../parts/SimpleTable";
import { Failure, Message } from "../../parts/States";
import { until, useNow } from "../../parts/time";

type Registration = Schemas["Registration"];
const PER_PAGE = 100;

export default function Registrations() {
	const { t } = useTranslation();
	const now = useNow(5000);
	const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
		queryKey: ["registrations"],
		queryFn: async ({ pageParam, signal }) =>
			(await request<Schemas["RegistrationPage"]>("GET", "/registrations", { query: { limit: PER_PAGE, cursor: pageParam }, signal })).data,
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (page) => page.next ?? undefined,
	});
	const rows = data?.pages.flatMap((page) => page.items);
	return (
		<>
			<PageHead title={t("shell.registrations")} text={t("registrations.listText")} />
			{error && !rows ? (
				<Failure error={error} retry={() => void refetch()} />
			) : rows?.length === 0 ? (
				<div className="card">
					<Message title={t("registrations.none")} text={t("registrations.noneText")} icon={<IconNone size={32} />}>
						<ButtonLink href="/devices/sip" variant="default">
							{t("shell.sipDevices")}
						</ButtonLink>
					</Message>
				</div>
			) : (
				<SimpleTable<Registration>
					label={t("shell.registrations")}
					rows={rows}
					keyOf={(row) => `${row.device_id} ${row.contact}`}
					columns={[
						{ id: "device", header: t("registrations.device"), cell: (row) => row.title || row.number },
						{ id: "number", header: t("registrations.number"), numeric: true, cell: (row) => row.number },
						{ id: "holder", header: t("registrations.holder"), cell: (row) => (row.holder ? `${row.holder}, ${row.extension}` : "–") },
						{ id: "remote", header: t("registrations.remote"), numeric: true, cell: (row) => row.remote },
						{
							id: "transport",
							header: t("registrations.transport"),
							cell: (row) => (
								<Group gap={6}>
									<Badge variant="light" color={row.transport === "tls" || row.transport === "wss" ? "teal" : "gray"} tt="uppercase">
										{row.transport}
									</Badge>
									{row.behind_nat && (
										<Badge variant="light" color="gray">
											NAT
										</Badge>
									)}
								</Group>
							),
						},
						{ id: "agent", header: t("registrations.userAgent"), cell: (row) => <Text size="sm" lineClamp={1}>{row.user_agent || "–"}</Text> },
						{ id: "expires", header: t("registrations.expires"), cell: (row) => (row.expires_at ? until(row.expires_at, now) : "–") },
					]}
				>
					{hasNextPage && (
						<Group justify="center" p="md">
							<Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
								{t("lists.more")}
							</Button>
						</Group>
					)}
				</SimpleTable>
			)}
		</>
	);
}
