// One call in the phone: who it is, how it stands, and what can be done with it.
import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import IconAnswer from "@tabler/icons-react/icons/IconPhone";
import IconHangUp from "@tabler/icons-react/icons/IconPhoneOff";
import IconHold from "@tabler/icons-react/icons/IconPlayerPause";
import IconKeys from "@tabler/icons-react/icons/IconDialpad";
import IconMove from "@tabler/icons-react/icons/IconDeviceLandlinePhone";
import IconMute from "@tabler/icons-react/icons/IconMicrophoneOff";
import IconTransfer from "@tabler/icons-react/icons/IconTransfer";
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { duration, useNow } from "../parts/time";
import classes from "./Phone.module.css";
import { Keypad, Meter, Toggle } from "./pieces";
import type { PhoneCall } from "./state";
import { useMoves } from "./useMoves";
import type { UsedPhone } from "./usePhone";

export const whoIs = (call: PhoneCall) => call.name || call.number;

export function Talked({ call }: { call: PhoneCall }) {
	const now = useNow(1000);
	return duration(Math.max(0, Math.floor((now - (call.talkingSince ?? now)) / 1000) * 1000));
}

function Stage({ call }: { call: PhoneCall }) {
	const { t } = useTranslation();
	switch (call.stage) {
		case "ringing":
			return t("phone.rings");
		case "calling":
			return t("phone.calling");
		case "talking":
			if (call.path !== "open") return t(`phone.paths.${call.path}`);
			if (call.held) return t("phone.held");
			if (call.heldByOther) return t("phone.heldByOther");
			return <Talked call={call} />;
		case "over":
			return call.why ? t(`phone.whys.${call.why}`) : t("phone.over");
	}
}

function Meters({ used, call }: { used: UsedPhone; call: PhoneCall }) {
	const { t } = useTranslation();
	const [streams, setStreams] = useState<{ heard: MediaStream | null; said: MediaStream | null }>({ heard: null, said: null });
	const driver = used.driverOf(call.id);
	useEffect(() => {
		setStreams(driver?.streams(call.id) ?? { heard: null, said: null });
	}, [driver, call.id, call.stage, call.held, used.choices.microphone, used.choices.clean]);
	return (
		<Group gap="sm" grow wrap="nowrap">
			<Meter label={t("phone.heard")} stream={streams.heard} />
			<Meter label={t("phone.said")} stream={streams.said} />
		</Group>
	);
}

function Transfer({ used, call, done }: { used: UsedPhone; call: PhoneCall; done: () => void }) {
	const { t } = useTranslation();
	const [number, setNumber] = useState("");
	const others = used.phone.calls.filter((each) => each.id !== call.id && each.stage === "talking");
	const driver = used.driverOf(call.id);
	const target = number.trim();
	const send = (event: FormEvent) => {
		event.preventDefault();
		if (!target) return;
		driver?.transfer(call.id, { number: target });
		done();
	};
	return (
		<Stack gap={6}>
			<form onSubmit={send}>
				<Stack gap={6}>
					<TextInput size="sm" label={t("phone.transferTo")} value={number} onChange={(event) => setNumber(event.currentTarget.value)} inputMode="tel" autoFocus />
					<Group gap={6} grow>
						<Button size="sm" type="submit" disabled={!target}>
							{t("phone.transferNow")}
						</Button>
						<Button
							size="sm"
							variant="light"
							disabled={!target || !used.driver}
							onClick={() => {
								used.driver?.dial(target);
								done();
							}}
						>
							{t("phone.askFirst")}
						</Button>
					</Group>
				</Stack>
			</form>
			{others.map((other) => (
				<Button
					key={other.id}
					size="sm"
					variant="light"
					onClick={() => {
						driver?.transfer(call.id, { call: other.id });
						done();
					}}
				>
					{t("phone.joinWith", { name: whoIs(other) })}
				</Button>
			))}
		</Stack>
	);
}

function Move({ used, call, done }: { used: UsedPhone; call: PhoneCall; done: () => void }) {
	const { t } = useTranslation();
	const { own, move } = useMoves(call, used.device?.id);
	if (own.length === 0)
		return (
			<Text size="sm" c="dimmed">
				{t("phone.moveNowhere")}
			</Text>
		);
	return own.map((device) => (
		<Button key={device.id} size="sm" variant="light" onClick={() => void move(device.id).then(done)}>
			{t("phone.moveTo", { device: device.title || device.number })}
		</Button>
	));
}

function Talking({ used, call }: { used: UsedPhone; call: PhoneCall }) {
	const { t } = useTranslation();
	const [shown, setShown] = useState<"keypad" | "transfer" | "move" | null>(null);
	const toggle = (what: typeof shown) => setShown((before) => (before === what ? null : what));
	const driver = used.driverOf(call.id);
	const done = () => setShown(null);
	return (
		<>
			<Meters used={used} call={call} />
			<Group gap={6} wrap="nowrap">
				<Toggle label={t("phone.hold")} on={call.held} icon={<IconHold size={18} />} toggle={() => driver?.hold(call.id, !call.held)} />
				<Toggle label={t("phone.mute")} on={call.muted} icon={<IconMute size={18} />} toggle={() => driver?.mute(call.id, !call.muted)} />
				<Toggle label={t("phone.keypad")} on={shown === "keypad"} icon={<IconKeys size={18} />} toggle={() => toggle("keypad")} />
				<Toggle label={t("phone.transfer")} on={shown === "transfer"} icon={<IconTransfer size={18} />} toggle={() => toggle("transfer")} />
				<Toggle label={t("phone.move")} on={shown === "move"} icon={<IconMove size={18} />} toggle={() => toggle("move")} />
			</Group>
			{call.transfer !== "none" && (
				<Text size="sm" role="status">
					{t(call.transfer === "failed" ? "phone.transferFailed" : "phone.transferring")}
				</Text>
			)}
			{shown === "keypad" && <Keypad press={(key) => driver?.press(call.id, key)} />}
			{shown === "transfer" && <Transfer used={used} call={call} done={done} />}
			{shown === "move" && <Move used={used} call={call} done={done} />}
		</>
	);
}

export function CallCard({ used, call }: { used: UsedPhone; call: PhoneCall }) {
	const { t } = useTranslation();
	const driver = used.driverOf(call.id);
	return (
		<Stack gap="xs" className={classes.call} data-stage={call.stage} role="group" aria-label={t("phone.callWith", { name: whoIs(call) })}>
			<Group justify="space-between" wrap="nowrap" align="start">
				<div className={classes.who}>
					<Text fw={600}>{whoIs(call)}</Text>
					{call.name && (
						<Text size="sm" c="dimmed">
							{call.number}
						</Text>
					)}
				</div>
				<div className={classes.stage}>
					<Text size="sm" role={call.stage === "ringing" ? "alert" : undefined}>
						<Stage call={call} />
					</Text>
					{call.grade && call.stage === "talking" && call.path === "open" && (
						<Text size="xs" c="dimmed" data-grade={call.grade} className={classes.grade}>
							{t(`phone.grades.${call.grade}`)}
						</Text>
					)}
				</div>
			</Group>
			{call.why === "no_microphone" && (
				<Alert color="red" p="xs">
					{t("phone.microphoneDenied")}
				</Alert>
			)}
			{call.stage === "ringing" && (
				<Group grow gap="xs">
					<Button color="teal.9" leftSection={<IconAnswer size={16} />} onClick={() => driver?.answer(call.id)}>
						{t("phone.answer")}
					</Button>
					<Button color="red.9" variant="outline" className={classes.decline} leftSection={<IconHangUp size={16} />} onClick={() => driver?.hangUp(call.id)}>
						{t("phone.decline")}
					</Button>
				</Group>
			)}
			{call.stage === "talking" && <Talking used={used} call={call} />}
			{(call.stage === "calling" || call.stage === "talking") && (
				<Button color="red.9" leftSection={<IconHangUp size={16} />} onClick={() => driver?.hangUp(call.id)}>
					{t("phone.hangUp")}
				</Button>
			)}
		</Stack>
	);
}
