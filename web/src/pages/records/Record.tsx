// One call record: who called whom, and the picture of which device rang when, why one did not, and which one answered.
import { Anchor, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { ReactNode } from "react";
import { Link, useParams } from "wouter";
import { Problem, request } from "../../api/client";
import { CallTimeline } from "../../parts/CallTimeline";
import { PageHead } from "../../parts/PageHead";
import { Failure } from "../../parts/States";
import { duration, milliseconds, moment } from "../../parts/time";
import { rowsOfRecord, type CallRecord } from "../../parts/timeline";
import { Heard } from "./Heard";
import { OutcomeBadge, talkTime } from "./RecordList";

function Fact({ label, children }: { label: string; children: ReactNode }) {
	return (
		<div>
			<Text size="xs" c="dimmed" component="dt">
				{label}
			</Text>
			<Text size="sm" component="dd" m={0}>
				{children}
			</Text>
		</div>
	);
}

export default function Record() {
	const { t } = useTranslation();
	const { id = "" } = useParams<{ id: string }>();
	const { data: record, error, refetch } = useQuery({
		queryKey: ["call-records", "one", id],
		queryFn: async ({ signal }) => (await request<CallRecord>("GET", `/call-records/${encodeURIComponent(id)}`, { signal })).data,
		// It is written a moment after the call has ended.
		retry: (failures, problem) => failures < 3 && problem instanceof Problem && problem.status === 404,
	});
	const back = (
		<Anchor component={Link} href="/call-records" size="sm">
			← {t("shell.callRecords")}
		</Anchor>
	);
	if (error) return [<PageHead key="head" above={back} title={t("records.record")} />, <Failure key="failure" error={error} retry={() => void refetch()} />];
	if (!record) return <PageHead above={back} title={t("records.record")} />;

	const caller = record.caller_name || record.caller_number || t("calls.anonymous");
	const called = record.callee_title || record.dialled;
	const started = milliseconds(record.started_at) ?? 0;
	const answered = milliseconds(record.answered_at);
	const rows = rowsOfRecord(record);
	const userLink = (id: string | null | undefined, text: string) =>
		id ? (
			<Anchor component={Link} href={`/users/${id}`} size="sm">
				{text}
			</Anchor>
		) : (
			text
		);
	return (
		<>
			<PageHead
				above={back}
				title={t("calls.from", { caller, called })}
				text={
					<Group gap="sm">
						<OutcomeBadge outcome={record.outcome} />
						{moment(record.started_at)}
					</Group>
				}
			/>
			<Stack gap="md">
				<section className="card" aria-label={t("records.timeline")}>
					{rows.length ? (
						<CallTimeline rows={rows} label={t("records.timeline")} />
					) : (
						<Text c="dimmed">{record.sentence || t("records.nobodyRang")}</Text>
					)}
				</section>
				<Heard record={record} />
				<section className="card" aria-label={t("records.facts")}>
					<SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 4 }} m={0} spacing="lg">
						<Fact label={t("records.caller")}>
							{userLink(record.caller_user_id, caller)} {record.caller_name && record.caller_number}
						</Fact>
						<Fact label={t("records.callerDevice")}>{record.caller_device_number || "–"}</Fact>
						<Fact label={t("records.dialled")}>
							{record.dialled}
							{record.canonical && record.canonical !== record.dialled ? ` (${record.canonical})` : ""}
						</Fact>
						<Fact label={t("records.called")}>{userLink(record.callee_user_id, called)}</Fact>
						<Fact label={t("records.answeredAfter")}>{answered === null ? "–" : duration(answered - started)}</Fact>
						<Fact label={t("records.talked")}>{talkTime(record)}</Fact>
						<Fact label={t("records.endedBy")}>{record.ended_by || "–"}</Fact>
						<Fact label={t("records.status")}>
							{record.sip_status || "–"} {record.q850 ? `(Q.850 ${record.q850})` : ""} {record.sentence}
						</Fact>
						{record.forwarded_from && (
							<Fact label={t("records.forwardedFrom")}>
								<Anchor component={Link} href={`/call-records/${encodeURIComponent(record.forwarded_from)}`} size="sm">
									{t("records.record")}
								</Anchor>
							</Fact>
						)}
						<Fact label="Call-ID">{record.call_id || "–"}</Fact>
					</SimpleGrid>
				</section>
			</Stack>
		</>
	);
}
