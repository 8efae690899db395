// The navbar's phone: one button that says how the line is, and behind it the calls, the keypad and what sounds where. Loaded only for
// somebody who has a browser device.
import { Alert, Button, Group, Popover, Stack, Text, TextInput, UnstyledButton, VisuallyHidden } from "@mantine/core";
import IconCall from "@tabler/icons-react/icons/IconPhone";
import IconKeys from "@tabler/icons-react/icons/IconDialpad";
import IconPhone from "@tabler/icons-react/icons/IconHeadset";
import IconSettings from "@tabler/icons-react/icons/IconSettings";
import { useEffect, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useProblemSentence } from "../parts/problem";
import { CallCard, Talked, whoIs } from "./CallCard";
import classes from "./Phone.module.css";
import { Keypad, Toggle } from "./pieces";
import { SoundChoices } from "./SoundChoices";
import { ringing } from "./state";
import { useMicrophonePermission, usePhone, type UsedPhone } from "./usePhone";

function Dialling({ used }: { used: UsedPhone }) {
	const { t } = useTranslation();
	const [number, setNumber] = useState("");
	const [keys, setKeys] = useState(false);
	const dial = (event: FormEvent) => {
		event.preventDefault();
		if (number.trim() === "") return;
		used.driver?.dial(number.trim());
		setNumber("");
	};
	return (
		<form onSubmit={dial}>
			<Stack gap="xs">
				<Group gap={6} align="end" wrap="nowrap">
					<TextInput flex={1} label={t("phone.number")} value={number} onChange={(event) => setNumber(event.currentTarget.value)} inputMode="tel" autoComplete="off" data-autofocus />
					<Toggle label={t("phone.keypad")} on={keys} icon={<IconKeys size={18} />} toggle={() => setKeys(!keys)} />
					<Button type="submit" color="teal.9" disabled={number.trim() === ""} leftSection={<IconCall size={16} />}>
						{t("phone.call")}
					</Button>
				</Group>
				{keys && <Keypad press={(key) => setNumber(number + key)} />}
			</Stack>
		</form>
	);
}

// What has to be known or done before calls ring here.
function Troubles({ used }: { used: UsedPhone }) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const permission = useMicrophonePermission();
	const { phone, driver } = used;
	return (
		<>
			{phone.why === "insecure" && <Alert color="orange">{t("phone.insecure")}</Alert>}
			{permission === "denied" && phone.why !== "insecure" && <Alert color="red">{t("phone.microphoneDenied")}</Alert>}
			{phone.line === "refused" && (
				<Alert color="red">
					<Stack gap="xs" align="start">
						<Text size="sm">{phone.problem ? sentence(phone.problem) : t("phone.refused")}</Text>
						<Button size="compact-sm" variant="default" onClick={() => driver?.again()}>
							{t("phone.again")}
						</Button>
					</Stack>
				</Alert>
			)}
			{phone.line === "elsewhere" && (
				<>
					<Button variant="light" onClick={used.comeHere}>
						{t("phone.comeHere")}
					</Button>
					{used.otherIsBusy && (
						<Text size="sm" role="status">
							{t("phone.otherIsBusy")}
						</Text>
					)}
				</>
			)}
		</>
	);
}

function Panel({ used }: { used: UsedPhone }) {
	const { t } = useTranslation();
	const [sounds, setSounds] = useState(false);
	const { phone } = used;
	return (
		<Stack gap="sm">
			<Group justify="space-between" wrap="nowrap">
				<Text size="sm" role="status" data-phone-line={phone.line}>
					{t(`phone.lines.${phone.line}`)}
				</Text>
				{phone.why !== "insecure" && <Toggle label={t("phone.sounds")} on={sounds} icon={<IconSettings size={18} />} toggle={() => setSounds(!sounds)} />}
			</Group>
			<Troubles used={used} />
			{sounds && <SoundChoices used={used} />}
			{phone.calls.map((call) => (
				<CallCard key={call.id} used={used} call={call} />
			))}
			{used.driver && phone.line === "ready" && <Dialling used={used} />}
		</Stack>
	);
}

// A call that rings opens the panel, but takes the keyboard from nobody who writes something just now; and closes it when it is over.
export default function NavbarPhone() {
	const { t } = useTranslation();
	const used = usePhone();
	const [opened, setOpened] = useState<"asked" | "rang" | null>(null);
	const { phone } = used;
	const rings = ringing(phone);
	const active = phone.calls.find((call) => call.id === phone.active && call.stage === "talking");
	useEffect(() => {
		if (rings) setOpened((before) => before ?? "rang");
	}, [rings?.id]);
	const idle = phone.calls.length === 0;
	useEffect(() => {
		if (idle) setOpened((before) => (before === "rang" ? null : before));
	}, [idle]);
	const has = used.device && (phone.line !== "off" || phone.why !== null);
	if (!has && phone.calls.length === 0) return null;
	const says = rings ? t("phone.ringsFrom", { name: whoIs(rings) }) : active ? t("phone.callWith", { name: whoIs(active) }) : t(`phone.lines.${phone.line}`);
	return (
		<Popover
			opened={opened !== null}
			onChange={(open) => setOpened(open ? "asked" : null)}
			width={340}
			position="bottom-end"
			withinPortal={false}
			trapFocus={opened === "asked"}
			closeOnClickOutside={!rings}
		>
			<Popover.Target>
				<UnstyledButton
					className={classes.button}
					data-line={phone.line}
					data-rings={rings ? true : undefined}
					data-talks={active ? true : undefined}
					aria-expanded={opened !== null}
					onClick={() => setOpened(opened ? null : "asked")}
				>
					<IconPhone size={20} aria-hidden />
					<span className={classes.dot} />
					<VisuallyHidden>{t("phone.button", { line: says })}</VisuallyHidden>
					{active && (
						<Text size="sm" component="span" visibleFrom="sm">
							<Talked call={active} />
						</Text>
					)}
				</UnstyledButton>
			</Popover.Target>
			<Popover.Dropdown aria-label={t("phone.title")} className={classes.panel}>
				<Panel used={used} />
			</Popover.Dropdown>
		</Popover>
	);
}
