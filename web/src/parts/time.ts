// Times and durations as people read them.
import i18next from "i18next";
import { useEffect, useState } from "react";

export function milliseconds(at: string | null | undefined): number | null {
	return at ? Date.parse(at) : null;
}

export function moment(at: string | null | undefined): string {
	if (!at) return "–";
	return new Intl.DateTimeFormat(i18next.language, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

export function clock(at: string | null | undefined): string {
	if (!at) return "–";
	return new Intl.DateTimeFormat(i18next.language, { timeStyle: "medium" }).format(new Date(at));
}

// 3.4 s, 1:05, 2:00:07
export function duration(ms: number): string {
	if (ms < 10_000) return `${new Intl.NumberFormat(i18next.language, { maximumFractionDigits: 1 }).format(Math.max(0, ms) / 1000)} s`;
	const s = Math.round(ms / 1000);
	if (s < 60) return `${s} s`;
	const two = (n: number) => String(n).padStart(2, "0");
	const minutes = Math.floor(s / 60);
	return minutes < 60 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
}

export function seconds(ms: number): string {
	return `${new Intl.NumberFormat(i18next.language, { maximumFractionDigits: 1 }).format(ms / 1000)} s`;
}

// In how long something is: "in 3 hours".
export function until(at: string, now: number): string {
	const s = Math.round((Date.parse(at) - now) / 1000);
	const format = new Intl.RelativeTimeFormat(i18next.language, { numeric: "always" });
	if (Math.abs(s) < 90) return format.format(s, "second");
	if (Math.abs(s) < 90 * 60) return format.format(Math.round(s / 60), "minute");
	if (Math.abs(s) < 36 * 3600) return format.format(Math.round(s / 3600), "hour");
	return format.format(Math.round(s / 86400), "day");
}

// The time now, drawn anew every `every` ms while `on`.
export function useNow(every: number, on = true): number {
	const [now, setNow] = useState(() => Date.now());
	useEffect(() => {
		if (!on) return;
		setNow(Date.now());
		const timer = setInterval(() => setNow(Date.now()), every);
		return () => clearInterval(timer);
	}, [every, on]);
	return now;
}
