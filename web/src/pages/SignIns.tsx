// Realtime → Sign-ins: who is signed in and which device they have picked. Administrators can end a session and free a device.
import { Badge, Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconOut from "@tabler/icons-react/icons/IconLogout";
import IconRelease from "@tabler/icons-react/icons/IconPlugConnectedX";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem, request } from "../api/client";
import { entityGet, useList, useRefresh, type Resource, type Resources } from "../api/resources";
import { useMayWrite } from "../api/session";
import { useConfirm } from "../parts/Confirm";
import { PageHead } from "../parts/PageHead";
import { useProblemSentence } from "../parts/problem";
import { SimpleTable, type SimpleColumn } from "../parts/SimpleTable";
import { Failure, Message } from "../parts/States";
import { moment, until, useNow } from "../parts/time";

type Sign = Resources["sessions"];
type Selection = Resources["selections"];

type Lasting = Pick<Sign | Selection, "id" | "created_at" | "expires_at">;

// How what lasts is ended before its time.
interface Ending<T> {
	resource: Resource;
	button: string;
	icon: ReactNode;
	title: (row: T) => string;
	consequences: (row: T) => string[];
}

function useEnd() {
	const { t } = useTranslation();
	const confirm = useConfirm();
	const refresh = useRefresh();
	const sentence = useProblemSentence();
	return async <T extends Lasting>(row: T, { resource, title, consequences, button }: Ending<T>) => {
		if (!(await confirm({ title: title(row), consequences: consequences(row), button }))) return;
		try {
			await request("DELETE", `/${resource}/${row.id}`);
			notifications.show({ message: t("signIns.done"), color: "teal" });
		} catch (error) {
			if (!(error instanceof Problem && error.status === 404)) notifications.show({ message: sentence(error), color: "red" });
		}
		await refresh(resource);
	};
}

function useNames(resource: "users" | "devices", ids: string[]) {
	const wanted = [...new Set(ids)].sort();
	const { data } = useQuery({
		queryKey: [resource, "names", wanted],
		queryFn: async () =>
			new Map(
				await Promise.all(
					wanted.map(async (id) => {
						const { data: one } = await entityGet(resource, id).catch(() => ({ data: null }));
						return [id, one ? one.title || ("name" in one ? one.name : one.number) || id : id] as const;
					}),
				),
			),
		enabled: wanted.length > 0,
		staleTime: 60_000,
	});
	return (id: string) => data?.get(id) ?? "…";
}

export default function SignIns() {
	const { t } = useTranslation();
	const now = useNow(10_000);
	const mayWrite = useMayWrite();
	const end = useEnd();
	const sessions = useList("sessions", { limit: 200, sort: "-created_at" });
	const selections = useList("selections", { limit: 200 });
	const users = useNames("users", [...(sessions.data?.items ?? []), ...(selections.data?.items ?? [])].map((each) => each.user_id));
	const devices = useNames("devices", (selections.data?.items ?? []).map((each) => each.device_id));
	const spans: SimpleColumn<Lasting>[] = [
		{ id: "since", header: t("signIns.since"), numeric: true, cell: (row) => moment(row.created_at) },
		{ id: "ends", header: t("signIns.ends"), cell: (row) => (row.expires_at ? until(row.expires_at, now) : t("signIns.never")) },
	];
	const ending = <T extends Lasting>(how: Ending<T>): SimpleColumn<T> => ({
		id: "actions",
		header: t("lists.actions"),
		cell: (row) =>
			mayWrite && (
				<Button size="xs" variant="default" leftSection={how.icon} onClick={() => void end(row, how)}>
					{how.button}
				</Button>
			),
	});
	const failed = sessions.error ?? selections.error;
	return (
		<>
			<PageHead title={t("shell.signIns")} text={t("signIns.text")} />
			{failed && <Failure error={failed} retry={() => void Promise.all([sessions.refetch(), selections.refetch()])} />}
			<Text component="h2" fw={650} mb="xs">
				{t("signIns.selections")}
			</Text>
			{selections.data?.items.length === 0 ? (
				<div className="card">
					<Message title={t("signIns.noSelections")} text={t("signIns.noSelectionsText")} />
				</div>
			) : (
				<SimpleTable<Selection>
					label={t("signIns.selections")}
					rows={selections.data?.items}
					keyOf={(row) => row.id}
					columns={[
						{ id: "device", header: t("signIns.device"), cell: (row) => devices(row.device_id) },
						{ id: "user", header: t("signIns.user"), cell: (row) => users(row.user_id) },
						...spans,
						ending<Selection>({
							resource: "selections",
							button: t("signIns.release"),
							icon: <IconRelease size={16} />,
							title: (row) => t("signIns.releaseTitle", { device: devices(row.device_id) }),
							consequences: (row) => [t("signIns.releaseText", { user: users(row.user_id) }), t("signIns.releaseCall")],
						}),
					]}
				/>
			)}
			<Text component="h2" fw={650} mt="lg" mb="xs">
				{t("signIns.sessions")}
			</Text>
			<SimpleTable<Sign>
				label={t("signIns.sessions")}
				rows={sessions.data?.items}
				keyOf={(row) => row.id}
				columns={[
					{
						id: "user",
						header: t("signIns.user"),
						cell: (row) => (
							<Group gap={6}>
								{users(row.user_id)}
								{"current" in row && row.current === true && (
									<Badge variant="light" tt="none">
										{t("signIns.you")}
									</Badge>
								)}
							</Group>
						),
					},
					...spans,
					{
						id: "client",
						header: t("signIns.client"),
						cell: (row) => (
							<Text size="sm" lineClamp={1} maw={360}>
								{row.client || "–"}
							</Text>
						),
					},
					ending<Sign>({
						resource: "sessions",
						button: t("signIns.end"),
						icon: <IconOut size={16} />,
						title: (row) => t("signIns.endTitle", { user: users(row.user_id) }),
						consequences: () => [t("signIns.endText")],
					}),
				]}
			/>
		</>
	);
}
