// Reports → Call records: what became of each call, newest first.
import { Badge, Button, Group, Select, Text, TextInput } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import IconRecords from "@tabler/icons-react/icons/IconHistory";
import IconNothing from "@tabler/icons-react/icons/IconSearchOff";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { request, type Schemas } from "../../api/client";
import { Twofold } from "../../parts/ListPage";
import classes from "../../parts/ListPage.module.css";
import { PageHead } from "../../parts/PageHead";
import { SearchField } from "../../parts/SearchField";
import { SimpleTable } from "../../parts/SimpleTable";
import { Failure, Message } from "../../parts/States";
import { duration, milliseconds, moment } from "../../parts/time";

type Brief = Schemas["CallRecordBrief"];
const PER_PAGE = 50;
const directions = ["incoming", "internal", "outgoing"] as const;
const callOutcomes = ["answered", "caller_gave_up", "timed_out", "declined", "busy", "unreachable", "refused", "failed"] as const;
const fields = ["q", "outcome", "direction", "from", "to", "user_id", "device_id"] as const;

export function OutcomeBadge({ outcome }: { outcome: Schemas["Outcome"] }) {
	const { t } = useTranslation();
	const colour = outcome === "answered" ? "teal" : outcome === "refused" || outcome === "failed" || outcome === "unreachable" ? "red" : "gray";
	return (
		<Badge variant="light" color={colour} tt="none">
			{t(`calls.outcomes.${outcome}`)}
		</Badge>
	);
}

export function talkTime(record: Brief): string {
	const answered = milliseconds(record.answered_at);
	const ended = milliseconds(record.ended_at);
	return answered !== null && ended !== null ? duration(ended - answered) : "–";
}

// A day as typed means all of it, in the reader's own time zone.
function dayEdge(day: string | null, end: boolean): string | undefined {
	if (!day) return undefined;
	const at = new Date(`${day}T00:00:00`);
	if (Number.isNaN(at.getTime())) return undefined;
	if (end) at.setDate(at.getDate() + 1);
	return at.toISOString();
}

function useAddress() {
	const [path, navigate] = useLocation();
	const search = useSearch();
	const parameters = new URLSearchParams(search);
	return {
		get: (name: (typeof fields)[number]) => parameters.get(name),
		set(name: (typeof fields)[number], value: string | null) {
			const next = new URLSearchParams(search);
			if (value) next.set(name, value);
			else next.delete(name);
			const text = next.toString();
			navigate(text ? `${path}?${text}` : path, { replace: true });
		},
		clear: () => navigate(path, { replace: true }),
		narrowed: fields.some((name) => parameters.has(name)),
	};
}

export default function RecordList() {
	const { t } = useTranslation();
	const address = useAddress();
	const query = {
		q: address.get("q") ?? undefined,
		outcome: address.get("outcome") ?? undefined,
		direction: address.get("direction") ?? undefined,
		from: dayEdge(address.get("from"), false),
		to: dayEdge(address.get("to"), true),
		user_id: address.get("user_id") ?? undefined,
		device_id: address.get("device_id") ?? undefined,
		limit: PER_PAGE,
	};
	const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
		queryKey: ["call-records", query],
		queryFn: async ({ pageParam, signal }) =>
			(await request<Schemas["CallRecordPage"]>("GET", "/call-records", { query: { ...query, cursor: pageParam }, signal })).data,
		initialPageParam: undefined as string | undefined,
		getNextPageParam: (page) => page.next ?? undefined,
		placeholderData: keepPreviousData,
	});
	const rows = data?.pages.flatMap((page) => page.items);
	const toolbar = (
		<Group className={classes.toolbar} gap="sm" align="flex-end">
			<SearchField q={address.get("q") ?? ""} onSearch={(value) => address.set("q", value)} hint={t("records.searchHint")} />
			<Select
				className={classes.filter}
				aria-label={t("records.outcome")}
				placeholder={t("records.outcome")}
				clearable
				data={callOutcomes.map((value) => ({ value, label: t(`calls.outcomes.${value}`) }))}
				value={address.get("outcome")}
				onChange={(value) => address.set("outcome", value)}
			/>
			<Select
				className={classes.filter}
				aria-label={t("records.direction")}
				placeholder={t("records.direction")}
				clearable
				data={directions.map((value) => ({ value, label: t(`records.directions.${value}`) }))}
				value={address.get("direction")}
				onChange={(value) => address.set("direction", value)}
			/>
			<TextInput
				type="date"
				aria-label={t("records.from")}
				title={t("records.from")}
				value={address.get("from") ?? ""}
				onChange={(event) => address.set("from", event.currentTarget.value)}
			/>
			<TextInput
				type="date"
				aria-label={t("records.to")}
				title={t("records.to")}
				value={address.get("to") ?? ""}
				onChange={(event) => address.set("to", event.currentTarget.value)}
			/>
			{address.narrowed && (
				<Button variant="subtle" onClick={address.clear}>
					{t("lists.clearAll")}
				</Button>
			)}
		</Group>
	);
	if (error && !rows) return [<PageHead key="head" title={t("shell.callRecords")} />, <Failure key="failure" error={error} retry={() => void refetch()} />];
	return (
		<>
			<PageHead title={t("shell.callRecords")} text={t("records.listText")} />
			{rows?.length === 0 && !address.narrowed ? (
				<div className="card">
					<Message title={t("records.none")} text={t("records.noneText")} icon={<IconRecords size={32} />} />
				</div>
			) : (
				<SimpleTable<Brief>
					label={t("shell.callRecords")}
					above={toolbar}
					rows={rows}
					keyOf={(row) => row.id}
					hrefOf={(row) => `/call-records/${encodeURIComponent(row.id)}`}
					columns={[
						{ id: "started", header: t("records.when"), numeric: true, cell: (row) => moment(row.started_at) },
						{
							id: "caller",
							header: t("records.caller"),
							cell: (row) => <Twofold main={row.caller_name || row.caller_number || t("calls.anonymous")} below={row.caller_name ? row.caller_number : ""} />,
						},
						{ id: "dialled", header: t("records.called"), cell: (row) => <Twofold main={row.callee_title || row.dialled} below={row.callee_title ? row.dialled : ""} /> },
						{ id: "direction", header: t("records.direction"), cell: (row) => (row.direction ? t(`records.directions.${row.direction}`) : "–") },
						{ id: "outcome", header: t("records.outcome"), cell: (row) => <OutcomeBadge outcome={row.outcome} /> },
						{ id: "talk", header: t("records.talked"), numeric: true, cell: talkTime },
					]}
				>
					{rows?.length === 0 && <Message title={t("lists.nothingFound")} text={t("lists.nothingFoundText")} icon={<IconNothing size={32} />} />}
					{hasNextPage ? (
						<Group justify="center" p="md">
							<Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
								{t("lists.more")}
							</Button>
						</Group>
					) : (
						rows &&
						rows.length > 0 && (
							<Text size="xs" c="dimmed" ta="center" p="sm">
								{t("records.end")}
							</Text>
						)
					)}
				</SimpleTable>
			)}
		</>
	);
}
