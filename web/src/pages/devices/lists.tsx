// Manage → Devices: a list per kind of device, all of them alike.
import { Badge, Text } from "@mantine/core";
import IconTeams from "@tabler/icons-react/icons/IconBrandTeams";
import IconBrowser from "@tabler/icons-react/icons/IconWorld";
import IconExternal from "@tabler/icons-react/icons/IconDeviceMobile";
import IconPhone from "@tabler/icons-react/icons/IconPhone";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import type { Device } from "../../api/resources";
import { DeviceState } from "../../parts/DeviceState";
import { countField, switchField, useBulkEdit } from "../../parts/BulkEdit";
import { ExportButton } from "../../parts/ExportButton";
import { ListPage, Twofold, YesNo, type Column, type Filter } from "../../parts/ListPage";
import { useRemove } from "../../parts/useRemove";
import { Presence } from "../../parts/Presence";
import { TeamsTrunk } from "./TeamsTrunk";
import { VerifiedBadge } from "./Verification";
import { deviceName, groupLabels, kindsOf, type DeviceGroup } from "./kinds";

const icons: Record<DeviceGroup, ReactNode> = {
	sip: <IconPhone size={32} />,
	webrtc: <IconBrowser size={32} />,
	external: <IconExternal size={32} />,
	teams: <IconTeams size={32} />,
};
function DeviceList({ group }: { group: DeviceGroup }) {
	const { t } = useTranslation();
	const kinds = kindsOf[group];
	const remove = useRemove("devices", {
		nameOf: deviceName,
		title: (devices) =>
			devices.length === 1 && devices[0] ? t("devices.delete.one", { name: deviceName(devices[0]) }) : t("devices.delete.many", { count: devices.length }),
		consequences: (devices) => [
			...devices
				.filter((device) => device.holder)
				.slice(0, 5)
				.map((device) => t("devices.delete.holder", { name: device.holder?.title ?? "", extension: device.holder?.extension ?? "" })),
			t("devices.delete.plan"), ...(group === "external" ? [] : [t("devices.delete.registration")]), t("devices.delete.call")],
	});
	const bulk = useBulkEdit("devices", (count) => t("devices.bulkTitle", { count }), [
		switchField("available_for_selection", t("devices.available"), t("lists.yes"), t("lists.no")),
		switchField("do_not_disturb", t("users.doNotDisturb"), t("lists.yes"), t("lists.no")),
		countField("call_limit", t("users.callLimit"), 1000),
	]);
	const columns = useMemo(
		(): Column<Device>[] => [
			{ id: "title", header: t("devices.title"), link: true, cell: (device) => device.title || <Text span c="dimmed" inherit>{t("lists.untitled")}</Text> },
			{ id: "number", header: t("devices.number"), numeric: true, cell: (device) => device.number },
			...(group === "external"
				? [
						{ id: "canonical", header: t("devices.canonical"), numeric: true, cell: (device: Device) => device.canonical },
						{ id: "verified_how", header: t("devices.verification"), cell: (device: Device) => <VerifiedBadge device={device} /> },
					]
				: []),
			...(group === "teams"
				? [{ id: "teams_user", header: t("presence.user"), cell: (device: Device) => device.teams_user || <Text span c="dimmed" inherit>–</Text> }]
				: []),
			...(kinds.length > 1 ? [{ id: "kind", header: t("devices.kind"), cell: (device: Device) => t(`devices.kinds.${device.kind}`) }] : []),
			{
				id: "holder",
				header: t("devices.holder"),
				cell: (device) =>
					device.holder ? (
						<Twofold
							main={
								<Link href={`/users/${device.holder.user_id}`} className="link">
									{device.holder.title} ({device.holder.extension})
								</Link>
							}
							below={
								(device.holder_count ?? 1) > 1
									? t("devices.andOthers", { count: (device.holder_count ?? 1) - 1 })
									: device.held === "selected" && t("devices.selected")
							}
						/>
					) : (
						<Text size="sm" c="dimmed" span>
							{t("devices.free")}
						</Text>
					),
			},
			...(group === "teams"
				? [{ id: "trunk", header: t("devices.trunk"), sortable: false, cell: (device: Device) => device.trunks && <TeamsTrunk trunks={device.trunks} /> }]
				: []),
			{ id: "state", header: t("devices.state"), sortBy: "registered", cell: (device) => device.state && <DeviceState state={device.state} /> },
			...(group === "teams"
				? [{ id: "presence", header: t("presence.presence"), sortable: false, cell: (device: Device) => device.presence && <Presence presence={device.presence} /> }]
				: []),
			{ id: "description", header: t("devices.description"), cell: (device) => <Text size="sm" lineClamp={2}>{device.description}</Text> },
			{
				id: "available_for_selection",
				header: t("devices.available"),
				cell: (device) => (device.available_for_selection ? <Badge variant="light" tt="none">{t("lists.yes")}</Badge> : <YesNo value={false} />),
			},
		],
		[t, group, kinds],
	);
	const filters: Filter[] = [
		{
			field: "held",
			label: t("devices.holder"),
			options: (["nobody", "assigned", "selected"] as const).map((value) => ({ value, label: t(`devices.heldChoices.${value}`) })),
		},
		...(kinds.length > 1
			? [{ field: "kind", label: t("devices.kind"), options: kinds.map((kind) => ({ value: kind, label: t(`devices.kinds.${kind}`) })) }]
			: []),
		{
			field: "available_for_selection",
			label: t("devices.available"),
			options: [
				{ value: "true", label: t("lists.yes") },
				{ value: "false", label: t("lists.no") },
			],
		},
	];
	return (
		<>
		{bulk.dialog}
		<ListPage
			resource="devices"
			name={`devices.${group}`}
			title={t(`shell.${groupLabels[group]}`)}
			text={t(`devices.listText.${group}`)}
			fixed={{ kind: kinds.join(",") }}
			columns={columns}
			filters={filters}
			sort="number"
			nameOf={deviceName}
			hrefOf={(device) => `/devices/${group}/${device.id}`}
			cloneOf={(device) => `/devices/${group}/new?clone=${device.id}`}
			remove={remove}
			bulk={[bulk.action]}
			tools={kinds.length === 1 && kinds[0] ? <ExportButton of="devices" kind={kinds[0]} /> : <ExportButton of="devices" />}
			add={{ href: `/devices/${group}/new` }}
			empty={{ title: t(`devices.empty.${group}`), text: t(`devices.emptyText.${group}`), icon: icons[group] }}
		/>
		</>
	);
}

export const SipDevices = () => <DeviceList key="sip" group="sip" />;
export const WebrtcDevices = () => <DeviceList key="webrtc" group="webrtc" />;
export const ExternalNumbers = () => <DeviceList key="external" group="external" />;
export const TeamsDevices = () => <DeviceList key="teams" group="teams" />;
