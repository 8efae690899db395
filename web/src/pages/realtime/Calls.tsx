// Realtime → Calls: every call that is up, with its devices ringing live on the ring plan's bars.
import { Badge, Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconHangUp from "@tabler/icons-react/icons/IconPhoneOff";
import IconQuiet from "@tabler/icons-react/icons/IconPhonePause";
import { useTranslation } from "react-i18next";
import { Problem, request } from "../../api/client";
import { useCalls, type Call } from "../../api/events";
import { useMayWrite, useSignedIn } from "../../api/session";
import { ButtonLink } from "../../parts/ButtonLink";
import { CallTimeline } from "../../parts/CallTimeline";
import { useConfirm } from "../../parts/Confirm";
import { PageHead } from "../../parts/PageHead";
import { useProblemSentence } from "../../parts/problem";
import { Failure, Message } from "../../parts/States";
import { duration, milliseconds, useNow } from "../../parts/time";
import { rowsOfCall, whyNoRows } from "../../parts/timeline";

const colours = { routing: "gray", ringing: "#a85400", connecting: "petrol", talking: "petrol", ending: "gray" } as const;

export function CallCard({ call }: { call: Call }) {
	const { t } = useTranslation();
	const mayWrite = useMayWrite();
	const confirm = useConfirm();
	const sentence = useProblemSentence();
	const over = call.over || call.state === "ending"; // for people; a silent leg may keep it a little
	const ringing = call.state === "ringing" && !call.over;
	const now = useNow(ringing ? 200 : 1000, !call.over);
	const base = milliseconds(call.ring_started_at) ?? milliseconds(call.started_at) ?? now;
	const answered = milliseconds(call.answered_at);
	const caller = call.caller_name || call.caller_number || t("calls.anonymous");
	const called = call.callee_title || call.called || call.dialled;
	const why = whyNoRows(call, useSignedIn());

	const hangUp = async () => {
		const agreed = await confirm({ title: t("calls.hangUpTitle"), consequences: [t("calls.hangUpText", { caller, called })], button: t("calls.hangUp") });
		if (!agreed) return;
		try {
			await request("DELETE", `/calls/${call.id}`);
		} catch (error) {
			if (error instanceof Problem && error.status === 404) return; // it has ended by itself
			notifications.show({ message: sentence(error), color: "red" });
		}
	};
	return (
		<article className="card" data-call={call.id} aria-label={t("calls.from", { caller, called })}>
			<Group justify="space-between" align="flex-start" mb="sm" gap="sm">
				<Stack gap={2}>
					<Text fw={650} size="lg">
						{caller} → {called}
					</Text>
					<Text size="sm" c="dimmed" className="numeric">
						{call.caller_number || t("calls.anonymous")} → {call.dialled}
					</Text>
				</Stack>
				<Group gap="sm">
					<Badge color={over ? "gray" : colours[call.state]} variant={call.state === "ringing" && !over ? "filled" : "light"} tt="none" size="lg">
						{over ? (call.outcome ? t(`calls.outcomes.${call.outcome}`) : t("calls.over")) : t(`calls.states.${call.state}`)}
						{answered !== null && call.state === "talking" && ` ${duration(now - answered)}`}
					</Badge>
					{mayWrite && !over && (
						<Button size="xs" variant="default" leftSection={<IconHangUp size={16} />} onClick={() => void hangUp()}>
							{t("calls.hangUp")}
						</Button>
					)}
				</Group>
			</Group>
			{call.turns.length > 0 ? (
				<CallTimeline
					rows={rowsOfCall(call, now)}
					label={t("calls.timelineOf", { called })}
					{...(ringing ? { now: now - base } : {})}
				/>
			) : (
				why && (
					<Text size="sm" c="dimmed">
						{t(`calls.${why}`)}
					</Text>
				)
			)}
		</article>
	);
}

export default function Calls() {
	const { t } = useTranslation();
	const { data: calls, error, refetch } = useCalls(true);
	return (
		<>
			<PageHead title={t("shell.calls")} text={t("calls.listText")} />
			{error && !calls ? (
				<Failure error={error} retry={() => void refetch()} />
			) : calls?.length === 0 ? (
				<div className="card">
					<Message title={t("calls.none")} text={t("calls.noneText")} icon={<IconQuiet size={32} />}>
						<ButtonLink href="/call-records" variant="default">
							{t("shell.callRecords")}
						</ButtonLink>
					</Message>
				</div>
			) : (
				<SimpleGrid cols={1} spacing="md" aria-live="off">
					{(calls ?? []).slice(0, 50).map((call) => (
						<CallCard key={call.id} call={call} />
					))}
					{calls && calls.length > 50 && <Text c="dimmed">{t("calls.more", { count: calls.length - 50 })}</Text>}
				</SimpleGrid>
			)}
		</>
	);
}
