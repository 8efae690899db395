// The ring plan of a user, edited: bars are dragged, or moved with the arrow keys, or typed in seconds; below stands in words
// what a caller experiences.
import { ActionIcon, Alert, Badge, Group, NumberInput, SegmentedControl, Stack, Text, Tooltip } from "@mantine/core";
import IconDown from "@tabler/icons-react/icons/IconArrowDown";
import IconEar from "@tabler/icons-react/icons/IconEar";
import IconRemove from "@tabler/icons-react/icons/IconX";
import IconUp from "@tabler/icons-react/icons/IconArrowUp";
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Device, DeviceKind } from "../api/resources";
import { DeviceIcon, DeviceState, type StateNow } from "./DeviceState";
import { DevicePicker } from "./DevicePicker";
import { RingPlanBars } from "./RingPlanBars";
import bars from "./RingPlanBars.module.css";
import classes from "./RingPlanEditor.module.css";
import { LIMITS, RING_DEFAULT, axisOf, barsOf, clamp, dragged, moved, type Strategy } from "./ringPlan";
import { useStory, type Afterwards } from "./story";

export interface PlannedTurn {
	device_id: string;
	start_s: number;
	ring_s: number;
	number: string;
	title: string;
	kind: DeviceKind;
}

export interface PlanValue {
	strategy: Strategy;
	turns: PlannedTurn[];
}

interface RingPlanEditorProps {
	value: PlanValue;
	onChange: (value: PlanValue) => void;
	afterwards: Afterwards;
	states: ReadonlyMap<string, { state: StateNow; why?: string | undefined }>;
	userId: string | undefined;
	locked: boolean;
	error?: string | undefined;
}

const nameOf = (turn: PlannedTurn) => turn.title || turn.number;

export function RingPlanEditor({ value, onChange, afterwards, states, userId, locked, error }: RingPlanEditorProps) {
	const { t } = useTranslation();
	const story = useStory();
	const track = useRef<HTMLDivElement | null>(null);
	const [frozen, setFrozen] = useState<ReturnType<typeof axisOf> | null>(null); // the axis holds still while a bar is dragged
	const [said, setSaid] = useState("");
	const { strategy, turns } = value;
	const times = barsOf(strategy, turns);
	const axis = frozen ?? axisOf(times);
	const change = (at: number, next: Partial<PlannedTurn>) =>
		onChange({ strategy, turns: turns.map((turn, each) => (each === at ? { ...turn, ...next } : turn)) });
	const move = (from: number, to: number) => {
		onChange({ strategy, turns: moved(turns, from, to) });
		const turn = turns[from];
		if (turn) setSaid(t("ringPlan.movedTo", { name: nameOf(turn), place: to + 1, count: turns.length }));
	};
	const add = (device: Device) =>
		onChange({
			strategy,
			turns: [
				...turns,
				{ device_id: device.id, start_s: 0, ring_s: RING_DEFAULT, number: device.number, title: device.title, kind: device.kind },
			],
		});

	const handles = (at: number, turn: PlannedTurn) => {
		const drag = (part: "whole" | "left" | "right") => (event: PointerEvent<HTMLElement>) => {
			if (event.button !== 0 || !track.current) return;
			event.preventDefault();
			const handle = event.currentTarget;
			const second = track.current.clientWidth / axis.length;
			const from = event.clientX;
			handle.setPointerCapture(event.pointerId);
			handle.focus();
			setFrozen(axis);
			const follow = (moving: globalThis.PointerEvent) => change(at, dragged(turn, part, Math.round((moving.clientX - from) / second)));
			const end = () => {
				handle.removeEventListener("pointermove", follow);
				setFrozen(null);
			};
			handle.addEventListener("pointermove", follow);
			handle.addEventListener("lostpointercapture", end, { once: true });
		};
		const press = (part: "whole" | "right") => (event: KeyboardEvent) => {
			const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
			if (event.key === "Home") change(at, part === "whole" ? { start_s: LIMITS.start.min } : { ring_s: LIMITS.ring.min });
			else if (step) change(at, dragged(turn, part, event.shiftKey ? step * 5 : step));
			else return;
			event.preventDefault();
		};
		const slider = (part: "whole" | "right") => ({
			role: "slider",
			tabIndex: 0,
			"aria-label": t(part === "whole" ? "ringPlan.startOf" : "ringPlan.ringOf", { name: nameOf(turn) }),
			"aria-valuemin": part === "whole" ? LIMITS.start.min : LIMITS.ring.min,
			"aria-valuemax": part === "whole" ? LIMITS.start.max : LIMITS.ring.max,
			"aria-valuenow": part === "whole" ? turn.start_s : turn.ring_s,
			"aria-valuetext": t("ringPlan.seconds", { count: part === "whole" ? turn.start_s : turn.ring_s }),
			onPointerDown: drag(part),
			onKeyDown: press(part),
		});
		return (
			<>
				{strategy === "at_once" && <span className={bars.whole} {...slider("whole")} />}
				{strategy === "at_once" && <span className={`${bars.edge} ${bars.left}`} onPointerDown={drag("left")} aria-hidden />}
				<span className={`${bars.edge} ${bars.right}`} {...slider("right")} />
			</>
		);
	};
	const seconds = (at: number, field: "start_s" | "ring_s", label: string, limits: { min: number; max: number }) => (
		<NumberInput
			size="xs"
			w={92}
			label={label}
			aria-label={`${label}, ${nameOf(turns[at] as PlannedTurn)}`}
			suffix=" s"
			value={turns[at]?.[field] ?? 0}
			min={limits.min}
			max={limits.max}
			allowDecimal={false}
			clampBehavior="blur"
			readOnly={locked}
			onChange={(next) => typeof next === "number" && change(at, { [field]: clamp(next, limits) })}
		/>
	);

	return (
		<Stack gap="md">
			<Group justify="space-between" gap="sm">
				<SegmentedControl
					aria-label={t("users.strategy")}
					data={(["at_once", "in_sequence"] as const).map((each) => ({ value: each, label: t(`users.strategies.${each}`) }))}
					value={strategy}
					readOnly={locked}
					onChange={(next) => onChange({ strategy: next as Strategy, turns })}
				/>
				<Text size="sm" c="dimmed" flex={1} miw={220}>
					{t(`ringPlan.strategyText.${strategy}`)}
				</Text>
			</Group>
			{turns.length > 0 && (
				<RingPlanBars
					label={t("ringPlan.title")}
					axis={axis}
					trackRef={(element) => {
						track.current = element;
					}}
					bars={turns.map((turn, at) => {
						const { state, why } = states.get(turn.device_id) ?? { state: undefined, why: undefined };
						const bar = times[at] as (typeof times)[number];
						return {
							...bar,
							key: turn.device_id,
							look: state === "unreachable" ? ("silent" as const) : ("plan" as const),
							label: t("ringPlan.fromTo", { from: bar.start, to: bar.stop }),
							name: (
								<Group gap={8} wrap="nowrap">
									<DeviceIcon kind={turn.kind} />
									<Stack gap={0} miw={0}>
										<Text size="sm" fw={600} truncate>
											{nameOf(turn)}
										</Text>
										<Text size="xs" c="dimmed" className="numeric">
											{turn.title ? turn.number : t(`devices.kinds.${turn.kind}`)}
										</Text>
									</Stack>
								</Group>
							),
							under: state && <DeviceState state={state} why={why} />,
							overlay: locked ? null : handles(at, turn),
							beside: (
								<Group gap={6} wrap="nowrap" align="flex-end">
									{strategy === "at_once" && seconds(at, "start_s", t("ringPlan.start"), LIMITS.start)}
									{seconds(at, "ring_s", t("ringPlan.ring"), LIMITS.ring)}
									{!locked && (
										<Group gap={0} wrap="nowrap">
											<Tooltip label={t("ringPlan.earlier")}>
												<ActionIcon
													variant="subtle"
													color="gray"
													disabled={at === 0}
													onClick={() => move(at, at - 1)}
													aria-label={t("ringPlan.earlierOf", { name: nameOf(turn) })}
												>
													<IconUp size={16} />
												</ActionIcon>
											</Tooltip>
											<Tooltip label={t("ringPlan.laterButton")}>
												<ActionIcon
													variant="subtle"
													color="gray"
													disabled={at === turns.length - 1}
													onClick={() => move(at, at + 1)}
													aria-label={t("ringPlan.laterOf", { name: nameOf(turn) })}
												>
													<IconDown size={16} />
												</ActionIcon>
											</Tooltip>
											<Tooltip label={t("ringPlan.remove")}>
												<ActionIcon
													variant="subtle"
													color="gray"
													onClick={() => onChange({ strategy, turns: turns.filter((_, each) => each !== at) })}
													aria-label={t("ringPlan.removeOf", { name: nameOf(turn) })}
												>
													<IconRemove size={16} />
												</ActionIcon>
											</Tooltip>
										</Group>
									)}
								</Group>
							),
						};
					})}
				/>
			)}
			<span className={classes.heard} aria-live="polite">
				{said}
			</span>
			<Group className={classes.story} gap="sm" wrap="nowrap" align="flex-start" data-testid="story">
				<IconEar size={20} aria-hidden />
				<Text size="sm">{story(times, turns.map(nameOf), afterwards)}</Text>
			</Group>
			{error && (
				<Alert color="red" variant="light" role="alert">
					{error}
				</Alert>
			)}
			{!locked && turns.length < LIMITS.turns && (
				<DevicePicker userId={userId} taken={turns.map((turn) => turn.device_id)} onPick={add} />
			)}
			{turns.length >= LIMITS.turns && <Badge variant="light">{t("ringPlan.full", { count: LIMITS.turns })}</Badge>}
		</Stack>
	);
}
