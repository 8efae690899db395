// A device's kind as an icon, and what it is doing now as a dot and a word: never by colour alone.
import { Group, Text, Tooltip } from "@mantine/core";
import IconTeams from "@tabler/icons-react/icons/IconBrandTeams";
import IconExternal from "@tabler/icons-react/icons/IconDeviceMobile";
import IconPhone from "@tabler/icons-react/icons/IconDeviceLandlinePhone";
import IconSoftphone from "@tabler/icons-react/icons/IconHeadset";
import IconBrowser from "@tabler/icons-react/icons/IconWorld";
import { useTranslation } from "react-i18next";
import type { Device, DeviceKind } from "../api/resources";
import classes from "./DeviceState.module.css";

export type StateNow = NonNullable<Device["state"]>;

const icons = { sip_phone: IconPhone, softphone: IconSoftphone, webrtc: IconBrowser, external: IconExternal, teams: IconTeams };

export function DeviceIcon({ kind, size = 20 }: { kind: DeviceKind; size?: number }) {
	const { t } = useTranslation();
	const Icon = icons[kind];
	return (
		<span className={classes.icon} role="img" aria-label={t(`devices.kinds.${kind}`)}>
			<Icon size={size} aria-hidden />
		</span>
	);
}

export function DeviceState({ state, why }: { state: StateNow; why?: string | undefined }) {
	const { t } = useTranslation();
	const shown = (
		<Group gap={6} wrap="nowrap" className={classes.state} component="span" tabIndex={why ? 0 : undefined}>
			<span className={classes.dot} data-state={state} aria-hidden />
			<Text size="xs" component="span">
				{t(`devices.states.${state}`)}
			</Text>
		</Group>
	);
	return why ? (
		<Tooltip label={why} multiline maw={320}>
			{shown}
		</Tooltip>
	) : (
		shown
	);
}
