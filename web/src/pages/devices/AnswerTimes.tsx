// How long a device rang until it was answered, drawn, with the guard's times as lines and what is proposed for them.
import { Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { Card } from "../../parts/FormPage";
import classes from "./AnswerTimes.module.css";

type Times = Schemas["AnswerTimes"];
type Proposal = Schemas["AnswerTimeProposal"];
const kinds = ["taken", "confirmed", "refused", "not_confirmed", "too_soon", "too_late"] as const;
const WIDTH = 720;
const HEIGHT = 160;
const LEFT = 28;
const RIGHT = 16;
const BOTTOM = 22;
const SECONDS_LEAST = 30;

const seconds = (ms: number) => String(Math.round(ms / 100) / 10);

function Histogram({ times }: { times: Times }) {
	const { t } = useTranslation();
	const end = Math.max(SECONDS_LEAST, times.buckets.length, Math.ceil(times.too_late_ms / times.bucket_ms));
	const counts = times.buckets.map((bucket) => kinds.reduce((sum, kind) => sum + bucket[kind], 0));
	const most = Math.max(1, ...counts);
	const width = (WIDTH - LEFT - RIGHT) / end;
	const x = (ms: number) => LEFT + (ms / times.bucket_ms) * width;
	const y = (count: number) => (count / most) * (HEIGHT - BOTTOM - 12);
	const limits = (["too_soon_ms", "too_late_ms"] as const).filter((name) => times[name] > 0);
	return (
		<svg className={classes.chart} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("answerTimes.chart", { count: times.answers })}>
			<line className={classes.axis} x1={LEFT} x2={WIDTH - RIGHT} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
			<text className={classes.label} x={LEFT - 6} y={18} textAnchor="end">
				{most}
			</text>
			{Array.from({ length: Math.floor(end / 5) + 1 }, (_, at) => at * 5).map((second) => (
				<text key={second} className={classes.label} x={x(second * 1000)} y={HEIGHT - 6} textAnchor="middle">
					{second === 0 ? "0 s" : second}
				</text>
			))}
			{times.buckets.map((bucket) => {
				let top = HEIGHT - BOTTOM;
				return kinds.map((kind) => {
					if (bucket[kind] === 0) return null;
					const height = y(bucket[kind]);
					top -= height;
					return (
						<rect key={`${bucket.from_ms} ${kind}`} className={classes.bar} data-kind={kind} x={x(bucket.from_ms) + 1} y={top} width={Math.max(1, width - 2)} height={height}>
							<title>{t("answerTimes.bar", { count: bucket[kind], kind: t(`answerTimes.kinds.${kind}`), from: bucket.from_ms / 1000 })}</title>
						</rect>
					);
				});
			})}
			{limits.map((name) => (
				<g key={name}>
					<line className={classes.limit} x1={x(times[name])} x2={x(times[name])} y1={4} y2={HEIGHT - BOTTOM} />
					<title>{t(`answerTimes.limits.${name}`, { time: seconds(times[name]) })}</title>
				</g>
			))}
		</svg>
	);
}

function useReason() {
	const { t } = useTranslation();
	return (name: "too_soon" | "too_late", proposal: Proposal) =>
		t(`answerTimes.reasons.${name}.${proposal.reason}`, { count: proposal.answers, from: seconds(proposal.from_ms), to: seconds(proposal.to_ms) });
}

interface AnswerTimesProps {
	deviceId: string;
	use: ((times: { too_soon_ms?: number; too_late_ms?: number }) => void) | null; // null: may not be changed
}

export function AnswerTimes({ deviceId, use }: AnswerTimesProps) {
	const { t } = useTranslation();
	const reason = useReason();
	const { data: times } = useQuery({
		queryKey: ["answer-times", deviceId],
		queryFn: ({ signal }) => request<Times>("GET", `/devices/${deviceId}/answer-times`, { signal }),
		select: (answer) => answer.data,
	});
	if (!times) return null;
	const soon = times.too_soon;
	const late = times.too_late;
	const proposed = {
		...(soon?.ms != null && soon.ms !== times.too_soon_ms && { too_soon_ms: soon.ms }),
		...(late?.ms != null && late.ms !== times.too_late_ms && { too_late_ms: late.ms }),
	};
	const used = kinds.filter((kind) => times.buckets.some((bucket) => bucket[kind] > 0));
	return (
		<Card title={t("answerTimes.title")} text={t("answerTimes.text")}>
			<Stack gap="sm" data-testid="answer-times">
				{times.buckets.length > 0 && <Histogram times={times} />}
				{used.length > 0 && (
					<Group gap="md">
						{used.map((kind) => (
							<Group key={kind} gap={6}>
								<span className={classes.swatch} data-kind={kind} aria-hidden />
								<Text size="sm">{t(`answerTimes.kinds.${kind}`)}</Text>
							</Group>
						))}
					</Group>
				)}
				{(["too_soon_ms", "too_late_ms"] as const).map(
					(name) =>
						times[name] > 0 && (
							<Text key={name} size="sm">
								{t(`answerTimes.limits.${name}`, { time: seconds(times[name]) })}
							</Text>
						),
				)}
				{!soon || !late ? (
					<Text size="sm" c="dimmed">
						{t("answerTimes.needed", { count: times.answers, needed: times.answers_needed })}
					</Text>
				) : (
					<>
						<Text size="sm">{reason("too_soon", soon)}</Text>
						<Text size="sm">{reason("too_late", late)}</Text>
						{Object.keys(proposed).length === 0 ? (
							<Text size="sm" c="dimmed">
								{t("answerTimes.nothingToChange")}
							</Text>
						) : (
							use && (
								<Group gap="sm">
									<Button size="xs" variant="light" onClick={() => use(proposed)}>
										{t("answerTimes.use")}
									</Button>
									<Text size="sm">
										{[
											proposed.too_soon_ms !== undefined && t("answerTimes.soonValue", { ms: proposed.too_soon_ms }),
											proposed.too_late_ms !== undefined && t("answerTimes.lateValue", { ms: proposed.too_late_ms }),
										]
											.filter(Boolean)
											.join(", ")}
									</Text>
								</Group>
							)
						)}
					</>
				)}
			</Stack>
		</Card>
	);
}
