// The picture of a call: a bar per device on one time axis. The outline is what the ring plan had in mind, the filled part is
// what happened. Each row says the same in words.
import { Group, Text, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import classes from "./CallTimeline.module.css";
import { seconds, duration } from "./time";
import { axisEnd, axisMarks, type Outcome, type Span, type TimelineRow } from "./timeline";

interface CallTimelineProps {
	rows: TimelineRow[];
	label: string;
	now?: number; // ms on the axis, while it goes on
}

export function CallTimeline({ rows, label, now }: CallTimelineProps) {
	const end = axisEnd(rows);
	const part = (ms: number) => `${Math.min(100, (ms / end) * 100)}%`;
	const place = ({ from, to }: Span) => ({ left: part(from), width: `max(3px, ${part(to - from)})` });
	const marks = axisMarks(end);
	return (
		<div className={classes.timeline}>
			<ul className={classes.rows} aria-label={label}>
				{rows.map((row) => (
					<Row key={row.key} row={row} place={place} marks={marks} part={part} now={now !== undefined && now <= end ? now : undefined} />
				))}
			</ul>
			<div className={classes.axis} aria-hidden>
				<span />
				<div className={classes.scale}>
					{marks.map((mark) => (
						<span key={mark} className={classes.mark} data-edge={mark === 0 ? "start" : mark > end * 0.96 ? "end" : undefined} style={{ left: part(mark) }}>
							{seconds(mark)}
						</span>
					))}
				</div>
				<span />
			</div>
		</div>
	);
}

interface RowProps {
	row: TimelineRow;
	place: (span: Span) => { left: string; width: string };
	part: (ms: number) => string;
	marks: number[];
	now: number | undefined;
}

function Row({ row, place, part, marks, now }: RowProps) {
	const sentence = useRowSentence()(row);
	return (
		<li className={classes.row}>
			<div className={classes.who}>
				<Text size="sm" fw={600} truncate>
					{row.title || row.number}
				</Text>
				{row.title && (
					<Text size="xs" c="dimmed" className="numeric" truncate>
						{row.number}
					</Text>
				)}
			</div>
			<Tooltip label={sentence} multiline maw={320}>
				<div className={classes.track}>
					{marks.map((mark) => (
						<span key={mark} className={classes.grid} style={{ left: part(mark) }} />
					))}
					{row.planned && <span className={classes.planned} style={place(row.planned)} />}
					{row.called && (
						<span
							className={classes.rang}
							data-outcome={row.going ? "ringing" : (row.outcome ?? "none")}
							data-silent={!row.rang || undefined}
							style={place(row.called)}
						/>
					)}
					{now !== undefined && <span className={classes.now} style={{ left: part(now) }} />}
				</div>
			</Tooltip>
			<Group className={classes.said} gap={6} wrap="nowrap">
				<span className={classes.dot} data-outcome={row.going ? "ringing" : (row.outcome ?? "none")} aria-hidden />
				<Text size="sm">{sentence}</Text>
			</Group>
		</li>
	);
}

// Outcomes that need no reason beside them.
const saysItself: Outcome[] = ["answered", "answered_elsewhere", "declined_elsewhere", "caller_gave_up", "timed_out", "too_soon", "too_late"];

function useRowSentence() {
	const { t } = useTranslation();
	return (row: TimelineRow): string => {
		const parts: string[] = [];
		if (row.going && row.prompting) parts.push(t("calls.row.prompting"));
		else if (row.going) parts.push(t(row.rang ? "calls.row.ringing" : "calls.row.calling", { from: seconds(row.called?.from ?? 0) }));
		else if (row.outcome) parts.push(t(`calls.outcomes.${row.outcome}`));
		else parts.push(t("calls.row.waiting", { from: seconds(row.planned?.from ?? 0) }));
		if (!row.going && row.called && row.called.to > row.called.from)
			parts.push(t(row.rang ? "calls.row.rang" : "calls.row.called", { from: seconds(row.called.from), to: seconds(row.called.to) }));
		if (row.talked !== null) parts.push(t("calls.row.talked", { time: duration(row.talked) }));
		if (row.reason && row.outcome && !saysItself.includes(row.outcome)) parts.push(row.reason);
		return parts.join(" · ");
	};
}
