// Small parts of the phone: a button that is on or off, the keys, how loud somebody is.
import { ActionIcon, Button, Progress, SimpleGrid, Text, Tooltip } from "@mantine/core";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { levelOf } from "./sound";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const METER_MS = 100;

export function Toggle({ label, on, icon, toggle }: { label: string; on: boolean; icon: ReactNode; toggle: () => void }) {
	return (
		<Tooltip label={label} withinPortal={false}>
			<ActionIcon size="lg" variant={on ? "filled" : "default"} aria-label={label} aria-pressed={on} onClick={toggle}>
				{icon}
			</ActionIcon>
		</Tooltip>
	);
}

export function Keypad({ press }: { press: (key: string) => void }) {
	const { t } = useTranslation();
	return (
		<SimpleGrid cols={3} spacing={6} role="group" aria-label={t("phone.keypad")}>
			{KEYS.map((key) => (
				<Button key={key} variant="default" size="sm" onClick={() => press(key)}>
					{key}
				</Button>
			))}
		</SimpleGrid>
	);
}

export function Meter({ label, stream }: { label: string; stream: MediaStream | null }) {
	const [level, setLevel] = useState(0);
	useEffect(() => {
		if (!stream) return;
		const meter = levelOf(stream);
		const timer = setInterval(() => setLevel(Math.round(meter.read() * 100)), METER_MS);
		return () => {
			clearInterval(timer);
			meter.stop();
			setLevel(0);
		};
	}, [stream]);
	return (
		<div>
			<Text size="xs" c="dimmed" aria-hidden>
				{label}
			</Text>
			<Progress.Root size="xs">
				<Progress.Section value={level} aria-label={label} />
			</Progress.Root>
		</div>
	);
}
