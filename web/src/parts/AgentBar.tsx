// The navbar's part for somebody who is called: state, do-not-disturb, and the device: their own, or the one they pick.
import { ActionIcon, Alert, Button, Group, Indicator, Menu, Popover, Switch, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconDown from "@tabler/icons-react/icons/IconChevronDown";
import IconPhone from "@tabler/icons-react/icons/IconPhone";
import IconQuiet from "@tabler/icons-react/icons/IconBellOff";
import IconRing from "@tabler/icons-react/icons/IconBell";
import IconRelease from "@tabler/icons-react/icons/IconX";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe, useMeChange, useSelectableDevices, type Me, type SelectableDevice } from "../api/me";
import classes from "./AgentBar.module.css";
import { useProblemSentence } from "./problem";
import { until, useNow } from "./time";

const SOON_MS = 15 * 60_000;
const colours = { ready: "teal", in_call: "orange", do_not_disturb: "red", unreachable: "gray" } as const;

const nameOf = (device: { title: string; number: string }) => device.title || device.number;

function useAct() {
	const sentence = useProblemSentence();
	const [busy, setBusy] = useState(false);
	const act = async (what: () => Promise<void>) => {
		setBusy(true);
		try {
			await what();
		} catch (error) {
			notifications.show({ message: sentence(error), color: "red", autoClose: 8000 });
		} finally {
			setBusy(false);
		}
	};
	return { act, busy };
}

function Choice({ device, choose, mine }: { device: SelectableDevice; choose: () => void; mine: boolean }) {
	const { t } = useTranslation();
	const taken = device.holder && !mine ? device.holder : null;
	return (
		<Menu.Item
			onClick={choose}
			disabled={Boolean(taken) || mine}
			data-device={device.number}
			leftSection={<span className={classes.dot} data-state={taken ? "taken" : device.registered ? "ready" : "away"} aria-hidden />}
		>
			<Text size="sm" fw={550}>
				{nameOf(device)} <span className={classes.number}>{device.title ? device.number : ""}</span>
			</Text>
			<Text size="xs" c="dimmed">
				{mine
					? t("agent.yours")
					: taken
						? t("agent.taken", { name: taken.title, extension: taken.extension })
						: device.registered
							? t("agent.free")
							: t("agent.freeAway")}
			</Text>
		</Menu.Item>
	);
}

function DeviceSelector({ me }: { me: Me }) {
	const { t } = useTranslation();
	const [opened, setOpened] = useState(false);
	const { data: devices } = useSelectableDevices(opened);
	const { select, release } = useMeChange();
	const { act, busy } = useAct();
	const chosen = me.selection ? me.devices[0] : undefined;
	const last = !me.selection && me.last_device ? me.last_device : null;
	const ordered = devices && [...devices].sort((a, b) => Number(b.id === me.last_device?.id) - Number(a.id === me.last_device?.id));
	return (
		<Group gap={2} wrap="nowrap">
			<Menu opened={opened} onChange={setOpened} width={300} position="bottom-end" withinPortal={false}>
				<Menu.Target>
					<Button
						variant={chosen ? "default" : "filled"}
						size="xs"
						loading={busy}
						leftSection={<IconPhone size={16} />}
						rightSection={<IconDown size={14} />}
						aria-label={chosen ? t("agent.selected", { device: nameOf(chosen) }) : t("agent.select")}
					>
						{chosen ? nameOf(chosen) : t("agent.select")}
					</Button>
				</Menu.Target>
				<Menu.Dropdown>
					<Menu.Label>{t("agent.available")}</Menu.Label>
					<div className={classes.choices}>
						{ordered?.length === 0 && (
							<Text size="sm" c="dimmed" px="sm" pb="sm">
								{t("agent.none")}
							</Text>
						)}
						{ordered?.map((device) => (
							<Choice key={device.id} device={device} mine={device.id === me.selection?.device_id} choose={() => void act(() => select(device.id))} />
						))}
					</div>
				</Menu.Dropdown>
			</Menu>
			{last && (
				<Tooltip label={t("agent.lastAgain", { device: nameOf(last) })}>
					<Button size="xs" variant="default" loading={busy} onClick={() => void act(() => select(last.id))} visibleFrom="sm">
						{nameOf(last)}
					</Button>
				</Tooltip>
			)}
			{chosen && (
				<Tooltip label={t("agent.release")}>
					<ActionIcon variant="subtle" color="gray" aria-label={t("agent.release")} disabled={busy} onClick={() => void act(release)}>
						<IconRelease size={16} />
					</ActionIcon>
				</Tooltip>
			)}
		</Group>
	);
}

function OwnDevices({ me }: { me: Me }) {
	const { t } = useTranslation();
	return (
		<Menu width={260} position="bottom-end" withinPortal={false}>
			<Menu.Target>
				<Button variant="default" size="xs" leftSection={<IconPhone size={16} />} rightSection={<IconDown size={14} />}>
					{t("agent.devices", { count: me.devices.length })}
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				{me.devices.map((device) => (
					<Menu.Item key={device.id} component="div" leftSection={<span className={classes.dot} data-state={device.registered || device.kind === "external" ? "ready" : "away"} aria-hidden />}>
						<Text size="sm">{nameOf(device)}</Text>
						<Text size="xs" c="dimmed">
							{device.kind === "external" ? t("agent.outside") : device.registered ? t("agent.registered") : t("agent.away")}
						</Text>
					</Menu.Item>
				))}
			</Menu.Dropdown>
		</Menu>
	);
}

export function AgentBar() {
	const { t } = useTranslation();
	const { data: me } = useMe();
	const { doNotDisturb } = useMeChange();
	const { act, busy } = useAct();
	if (!me) return null;
	const quiet = me.state === "do_not_disturb";
	return (
		<Group gap={8} wrap="nowrap" role="group" aria-label={t("agent.bar")}>
			<Popover width={290} position="bottom-end" withinPortal={false}>
				<Popover.Target>
					<UnstyledButton className={classes.state} aria-label={t("agent.stateIs", { state: t(`agent.states.${me.state}`) })}>
						<Indicator color={colours[me.state]} size={11} offset={3} processing={me.state === "in_call"}>
							{quiet ? <IconQuiet size={20} /> : <IconRing size={20} />}
						</Indicator>
						<Text size="sm" visibleFrom="md">
							{t(`agent.states.${me.state}`)}
						</Text>
					</UnstyledButton>
				</Popover.Target>
				<Popover.Dropdown>
					<Switch
						label={t("agent.doNotDisturb")}
						description={t("agent.doNotDisturbText")}
						checked={me.user.do_not_disturb ?? false}
						disabled={busy}
						onChange={(event) => {
							const on = event.currentTarget.checked;
							void act(() => doNotDisturb(on));
						}}
					/>
				</Popover.Dropdown>
			</Popover>
			{me.may_select ? <DeviceSelector me={me} /> : me.devices.length > 0 ? <OwnDevices me={me} /> : null}
		</Group>
	);
}

// The lease of the selected device ends soon: said in time, with what to do about it.
export function LeaseWarning() {
	const { t } = useTranslation();
	const now = useNow(20_000);
	const { data: me } = useMe();
	const { select } = useMeChange();
	const { act, busy } = useAct();
	const ends = me?.selection?.expires_at;
	if (!me?.selection || !ends || Date.parse(ends) - now > SOON_MS) return null;
	const { device_id } = me.selection;
	return (
		<Alert color="orange" variant="light" mb="md" py="xs" role="status" title={t("agent.leaseEnds", { when: until(ends, now) })}>
			<Button size="xs" loading={busy} onClick={() => void act(() => select(device_id))}>
				{t("agent.extend")}
			</Button>
		</Alert>
	);
}
