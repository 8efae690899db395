// A ring plan drawn: one bar per device on a time axis. Used to edit a plan, to show a call while it rings, and for its record.
import type { CSSProperties, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./RingPlanBars.module.css";
import { axisOf, type Bar } from "./ringPlan";

// How a bar looks: as planned; ringing now; answered; over without an answer; would not ring.
export type BarLook = "plan" | "ringing" | "answered" | "over" | "silent";

export interface DrawnBar extends Bar {
	key: string;
	name: ReactNode;
	look?: BarLook;
	label?: string | undefined; // inside the bar
	title?: string | undefined; // what the pointer is told
	beside?: ReactNode; // at the right of the axis
	under?: ReactNode; // below the name
	overlay?: ReactNode; // drawn in the track: handles, a second bar
}

interface RingPlanBarsProps {
	bars: readonly DrawnBar[];
	label: string;
	axis?: { length: number; marks: number[] };
	now?: number | undefined; // seconds after the call's arrival, drawn as a line
	trackRef?: (element: HTMLDivElement | null) => void;
	head?: ReactNode;
}

export const percent = (seconds: number, length: number) => `${(100 * seconds) / length}%`;

export function RingPlanBars({ bars, label, axis = axisOf(bars), now, trackRef, head }: RingPlanBarsProps) {
	const { t } = useTranslation();
	return (
		<div className={classes.plan} role="group" aria-label={label}>
			<div className={classes.axis} aria-hidden>
				<span />
				<div className={classes.marks} ref={trackRef}>
					{axis.marks.map((mark) => (
						<span key={mark} style={{ left: percent(mark, axis.length) }}>
							{t("ringPlan.seconds", { count: mark })}
						</span>
					))}
				</div>
				<span className={classes.beside}>{head}</span>
			</div>
			{bars.map((bar) => (
				<div key={bar.key} className={classes.row}>
					<div className={classes.name}>
						{bar.name}
						{bar.under}
					</div>
					<div className={classes.track}>
						{axis.marks.map((mark) => (
							<span key={mark} className={classes.line} style={{ left: percent(mark, axis.length) }} aria-hidden />
						))}
						<div
							className={classes.bar}
							data-look={bar.look ?? "plan"}
							title={bar.title}
							style={
								{
									left: percent(bar.start, axis.length),
									width: percent(Math.max(0, bar.stop - bar.start), axis.length),
								} as CSSProperties
							}
						>
							{bar.label && <span className={classes.label}>{bar.label}</span>}
							{bar.overlay}
						</div>
						{now !== undefined && now <= axis.length && (
							<span className={classes.now} style={{ left: percent(now, axis.length) }} aria-hidden />
						)}
					</div>
					<div className={classes.beside}>{bar.beside}</div>
				</div>
			))}
		</div>
	);
}
