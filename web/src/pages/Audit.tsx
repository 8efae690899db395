// Audit log: who changed what from which value to which, by what way; and undoing it where nothing newer stands in the way.
import { Badge, Button, Group, Select, Stack, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconLog from "@tabler/icons-react/icons/IconListDetails";
import IconNothing from "@tabler/icons-react/icons/IconSearchOff";
import IconUndo from "@tabler/icons-react/icons/IconArrowBackUp";
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../api/client";
import { useMayWrite } from "../api/session";
import { useConfirm } from "../parts/Confirm";
import { PageHead } from "../parts/PageHead";
import { useProblemSentence } from "../parts/problem";
import { SearchField } from "../parts/SearchField";
import { Failure, Message } from "../parts/States";
import { moment } from "../parts/time";

type Entry = Schemas["AuditEntry"];
const entities = ["user", "device", "trunk", "route", "did", "selection", "session", "token", "settings", "recording"] as const;
const actions = ["create", "update", "delete", "sign_in", "sign_in_failed", "sign_out", "select", "release", "expire"] as const;

function shown(value: unknown): string {
	if (value === null || value === undefined || value === "") return "–";
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Changes({ entry }: { entry: Entry }) {
	const { t } = useTranslation();
	if (entry.changes.length === 0 || entry.entity === "session") return null; // who signed in from where is said above
	return (
		<Table layout="fixed" mt="xs" withRowBorders={false} verticalSpacing={2} horizontalSpacing={0} aria-label={t("audit.changes")} fz="sm">
			<Table.Thead>
				<Table.Tr>
					<Table.Th>{t("audit.field")}</Table.Th>
					<Table.Th>{t("audit.before")}</Table.Th>
					<Table.Th>{t("audit.after")}</Table.Th>
				</Table.Tr>
			</Table.Thead>
			<Table.Tbody>
				{entry.changes.map((change) => (
					<Table.Tr key={change.field}>
						<Table.Td>{change.field}</Table.Td>
						<Table.Td c="dimmed">{shown(change.before)}</Table.Td>
						<Table.Td>{change.secret ? t("audit.secret") : shown(change.after)}</Table.Td>
					</Table.Tr>
				))}
			</Table.Tbody>
		</Table>
	);
}

// The log holds no secret: whoever is made again gets a new one to sign in with, and nothing else.
const isMadeAnew = (entry: Entry, secret: string) => (entry.entity === "user" && secret === "password") || secret === "sip_password";
const undoable = (entry: Entry) => ["create", "update", "delete"].includes(entry.action) && entry.undone_by === null && entry.entity !== "session" && entry.entity !== "token";

export default function Audit() {
	const { t } = useTranslation();
	const mayWrite = useMayWrite();
	const confirm = useConfirm();
	const sentence = useProblemSentence();
	const client = useQueryClient();
	const [q, setQ] = useState("");
	const [entity, setEntity] = useState<string | null>(null);
	const [action, setAction] = useState<string | null>(null);
	const query = { q: q || undefined, entity: entity ?? undefined, action: action ?? undefined, limit: 50 };
	const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
		queryKey: ["audit", query],
		queryFn: async ({ pageParam, signal }) => (await request<Schemas["AuditPage"]>("GET", "/audit", { query: { ...query, cursor: pageParam }, signal })).data,
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (page) => page.next ?? undefined,
		placeholderData: keepPreviousData,
	});
	const entries = data?.pages.flatMap((page) => page.items);

	const undo = async (entry: Entry) => {
		const agreed = await confirm({
			title: t("audit.undoTitle"),
			text: sentenceOf(entry),
			consequences: entry.changes.slice(0, 12).map((change) => t("audit.back", { field: change.field, value: change.secret ? t(isMadeAnew(entry, change.field) ? "audit.newSecret" : "audit.lostSecret") : shown(change.before) })),
			button: t("audit.undo"),
		});
		if (!agreed) return;
		try {
			const { data: undone } = await request<Schemas["Undone"]>("POST", `/audit/${entry.id}/undo`);
			const secret = undone.password ?? undone.sip_password;
			const lost = undone.lost.filter((name) => !(name in undone)).map((name) => t(`audit.secrets.${name}`));
			notifications.show({
				message: secret ? t("audit.undoneSecret", { secret }) : t("audit.undone"),
				color: "teal",
				autoClose: secret ? false : 5000,
			});
			if (lost.length) notifications.show({ message: t("audit.undoneLost", { secrets: lost.join(", ") }), color: "yellow", autoClose: false });
			await client.invalidateQueries();
		} catch (problem) {
			notifications.show({ message: sentence(problem), color: "red", autoClose: 10_000 });
		}
	};
	const sentenceOf = (entry: Entry) =>
		t(`audit.actions.${entry.action}`, { entity: t(`audit.entities.${entry.entity}`), label: entry.entity === "settings" ? "" : entry.label || (entry.entity_id ?? "") }).trim();

	if (error && !entries) return [<PageHead key="head" title={t("shell.audit")} />, <Failure key="failure" error={error} retry={() => void refetch()} />];
	return (
		<>
			<PageHead title={t("shell.audit")} text={t("audit.text")} />
			<Group mb="md" gap="sm">
				<SearchField q={q} onSearch={(value) => setQ(value ?? "")} hint={t("audit.searchHint")} />
				<Select
					aria-label={t("audit.what")}
					placeholder={t("audit.what")}
					clearable
					data={entities.map((value) => ({ value, label: t(`audit.entities.${value}`) }))}
					value={entity}
					onChange={setEntity}
				/>
				<Select
					aria-label={t("audit.how")}
					placeholder={t("audit.how")}
					clearable
					data={actions.map((value) => ({ value, label: t(`audit.choices.${value}`) }))}
					value={action}
					onChange={setAction}
				/>
			</Group>
			{entries?.length === 0 && (
				<div className="card">
					<Message
						title={q || entity || action ? t("lists.nothingFound") : t("audit.none")}
						text={q || entity || action ? t("lists.nothingFoundText") : t("audit.noneText")}
						icon={q || entity || action ? <IconNothing size={32} /> : <IconLog size={32} />}
					/>
				</div>
			)}
			<Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: "none" }}>
				{entries?.map((entry) => (
					<li key={entry.id}>
						<article className="card" data-audit={entry.id}>
							<Group justify="space-between" align="flex-start" gap="sm" wrap="nowrap">
								<Stack gap={2}>
									<Text fw={600}>{sentenceOf(entry)}</Text>
									<Group gap={8}>
										<Text size="sm" c="dimmed">
											{moment(entry.at)} · {entry.actor || t("audit.nobody")}
											{entry.address ? ` · ${entry.address}` : ""}
										</Text>
										<Badge variant="light" color="gray" tt="none">
											{entry.via === "token" ? t("audit.via.token", { token: entry.token }) : t(`audit.via.${entry.via}`)}
										</Badge>
										{entry.undoes && (
											<Badge variant="light" tt="none">
												{t("audit.isUndo")}
											</Badge>
										)}
										{entry.undone_by && (
											<Badge variant="light" color="gray" tt="none">
												{t("audit.wasUndone")}
											</Badge>
										)}
									</Group>
								</Stack>
								{mayWrite && undoable(entry) && (
									<Button size="xs" variant="default" leftSection={<IconUndo size={16} />} onClick={() => void undo(entry)}>
										{t("audit.undo")}
									</Button>
								)}
							</Group>
							<Changes entry={entry} />
						</article>
					</li>
				))}
			</Stack>
			{hasNextPage && (
				<Group justify="center" p="md">
					<Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
						{t("lists.more")}
					</Button>
				</Group>
			)}
		</>
	);
}
