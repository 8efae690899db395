// One device: new, cloned or edited. Its number is fixed once it is created; its password is shown once.
import { Button, Center, Group, Loader, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconGone from "@tabler/icons-react/icons/IconDeviceUnknown";
import IconKey from "@tabler/icons-react/icons/IconKey";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useParams, useSearch } from "wouter";
import { Problem, request, type Schemas } from "../../api/client";
import { entityGet, refresh, useEntity, type Device, type DeviceKind } from "../../api/resources";
import { useMayWrite } from "../../api/session";
import { ButtonLink } from "../../parts/ButtonLink";
import { useConfirm } from "../../parts/Confirm";
import { DeviceState } from "../../parts/DeviceState";
import { Presence } from "../../parts/Presence";
import { Dialled } from "../../parts/Dialled";
import { ChoiceField, NumberField, OpenNumberField, SwitchField, TextField } from "../../parts/fields";
import { Card, Conflict, Fields, FormPage } from "../../parts/FormPage";
import { Failure, Message } from "../../parts/States";
import { unsavedForget } from "../../parts/unsaved";
import { useEditor } from "../../parts/useEditor";
import { AnswerTimes } from "./AnswerTimes";
import { VerificationCard } from "./Verification";
import { Credentials } from "./Credentials";
import { groupLabels, kindsOf, type DeviceGroup } from "./kinds";
import { TeamsTrunk } from "./TeamsTrunk";

type DeviceValue = Pick<
	Required<Device>,
	| "kind"
	| "number"
	| "title"
	| "description"
	| "available_for_selection"
	| "do_not_disturb"
	| "call_limit"
	| "nat"
	| "caller_id"
	| "caller_id_number"
	| "too_soon_ms"
	| "too_late_ms"
	| "confirm"
	| "teams_user"
>;

const names = [
	"kind",
	"number",
	"title",
	"description",
	"available_for_selection",
	"do_not_disturb",
	"call_limit",
	"nat",
	"caller_id",
	"caller_id_number",
	"too_soon_ms",
	"too_late_ms",
	"confirm",
	"teams_user",
] as const;

function valueOf(device: Device): DeviceValue {
	return Object.fromEntries(names.map((name) => [name, device[name]])) as unknown as DeviceValue;
}

function blankOf(kind: DeviceKind): DeviceValue {
	return {
		kind,
		number: "",
		title: "",
		description: "",
		available_for_selection: false,
		do_not_disturb: false,
		call_limit: 0,
		nat: "auto",
		caller_id: "trunk_default",
		caller_id_number: "",
		too_soon_ms: null,
		too_late_ms: null,
		confirm: false,
		teams_user: "",
	};
}

export default function DevicePage() {
	const { t } = useTranslation();
	const { group, id } = useParams<{ group: string; id?: string }>();
	const cloneId = new URLSearchParams(useSearch()).get("clone") ?? undefined;
	const source = id ?? cloneId;
	const { data, error, refetch } = useEntity("devices", source);
	if (!(group in kindsOf) || (source && error instanceof Problem && error.status === 404))
		return (
			<Message title={t("forms.gone")} text={t("forms.goneText")} icon={<IconGone size={32} />}>
				<ButtonLink href={group in kindsOf ? `/devices/${group}` : "/"}>{t("forms.back")}</ButtonLink>
			</Message>
		);
	if (error) return <Failure error={error} title={t("forms.failed")} retry={() => void refetch()} />;
	if (source && !data)
		return (
			<Center py={96}>
				<Loader aria-label={t("forms.loading")} />
			</Center>
		);
	return (
		<DeviceForm
			key={source ?? "new"}
			group={group as DeviceGroup}
			device={id ? data?.data : undefined}
			etagRead={id ? (data?.etag ?? null) : null}
			original={id ? undefined : data?.data}
		/>
	);
}

interface DeviceFormProps {
	group: DeviceGroup;
	device: Device | undefined;
	etagRead: string | null;
	original: Device | undefined;
}

function DeviceForm({ group, device, etagRead, original }: DeviceFormProps) {
	const { t } = useTranslation();
	const [, navigate] = useLocation();
	const client = useQueryClient();
	const confirm = useConfirm();
	const mayWrite = useMayWrite();
	const isNew = !device;
	const start = useMemo((): DeviceValue => {
		if (device) return valueOf(device);
		if (original) return { ...valueOf(original), number: "" };
		return blankOf(kindsOf[group][0] as DeviceKind);
	}, [device, original, group]);
	const form = useEditor(start, !mayWrite);
	const etag = useRef(etagRead);
	const [theirs, setTheirs] = useState<DeviceValue | null>(null);
	const [shown, setShown] = useState<{ device: Device; password: string } | null>(null);
	const { kind } = form.value;
	const registers = kind === "sip_phone" || kind === "softphone" || kind === "webrtc";
	const over = kind === "external" || kind === "teams"; // reached over a trunk
	const list = `/devices/${group}`;
	const { data: site } = useQuery({
		queryKey: ["settings"],
		queryFn: () => request<Required<Schemas["Settings"]>>("GET", "/settings"),
		enabled: over,
		select: (answer) => answer.data,
	});

	useEffect(() => {
		if (!device || etagRead === etag.current || form.dirty) return;
		etag.current = etagRead;
		form.reset(valueOf(device));
	});
	useEffect(() => {
		if (!form.stale || !device) return;
		void entityGet("devices", device.id).then((answer) => {
			etag.current = answer.etag;
			setTheirs(valueOf(answer.data));
		});
	}, [form.stale, device]);

	const write = async (changes: Partial<DeviceValue>) => {
		if (!device) return;
		const answer = await request<Device>("PATCH", `/devices/${device.id}`, { body: changes, etag: etag.current });
		etag.current = answer.etag;
		form.reset(valueOf(answer.data));
		notifications.show({ message: t("forms.saved", { name: answer.data.title || answer.data.number }), color: "teal" });
		await refresh(client, "devices");
	};
	const create = async () => {
		const { data } = await request<Schemas["CreatedDevice"]>("POST", "/devices", { body: form.value });
		unsavedForget();
		form.reset(form.value);
		await refresh(client, "devices");
		if (data.sip_password) setShown({ device: data, password: data.sip_password });
		else {
			notifications.show({ message: t("forms.created", { name: data.title || data.number }), color: "teal" });
			navigate(list);
		}
	};
	const newPassword = async () => {
		if (!device) return;
		const agreed = await confirm({
			title: t("devices.newPassword.title", { name: device.title || device.number }),
			consequences: [t("devices.newPassword.old"), t("devices.newPassword.registration")],
			button: t("devices.newPassword.button"),
		});
		if (!agreed) return;
		await form.attempt(async () => {
			const { data } = await request<{ sip_password: string }>("POST", `/devices/${device.id}/password`, { body: {} });
			setShown({ device, password: data.sip_password });
			await refresh(client, "devices");
		});
	};

	const labels = {
		title: t("devices.title"),
		description: t("devices.description"),
		available_for_selection: t("devices.available"),
		do_not_disturb: t("users.doNotDisturb"),
		call_limit: t("users.callLimit"),
		nat: t("devices.nat"),
		caller_id: t("devices.callerId"),
		caller_id_number: t("devices.callerIdNumber"),
		too_soon_ms: t("devices.tooSoon"),
		too_late_ms: t("devices.tooLate"),
		confirm: t("devices.confirm"),
		teams_user: t("devices.teamsUser"),
	};
	const siteTime = (ms: number | undefined) =>
		ms === undefined ? "" : ms === 0 ? t("devices.guardSiteOff") : t("devices.guardSite", { time: `${ms} ms` });
	const choices = <T extends string>(all: readonly T[], label: (each: T) => string) => all.map((value) => ({ value, label: label(value) }));
	const title = isNew
		? original
			? t("devices.cloneTitle", { name: original.title || original.number })
			: t(`devices.newTitle.${group}`)
		: device.title || device.number;
	return (
		<>
			<FormPage
				title={title}
				text={device && <Standing device={device} />}
				list={{ href: list, label: t(`shell.${groupLabels[group]}`) }}
				form={form}
				isNew={isNew}
				save={() => form.attempt(() => (isNew ? create() : write(form.changes)))}
				actions={
					device &&
					registers &&
					mayWrite && (
						<Button variant="default" leftSection={<IconKey size={16} />} onClick={() => void newPassword()}>
							{t("devices.newPassword.button")}
						</Button>
					)
				}
				conflict={
					<Conflict
						form={form}
						theirs={theirs}
						labels={labels}
						keepMine={() => {
							if (!theirs) return;
							const { changes } = form;
							form.rebase(theirs, { ...theirs, ...changes });
							void form.attempt(() => write(changes));
						}}
					/>
				}
			>
				<Card title={t("devices.about")}>
					<Fields>
						{kindsOf[group].length > 1 && (
							<ChoiceField
								form={form}
								name="kind"
								label={t("devices.kind")}
								lock={!isNew && t("devices.lockedKind")}
								options={choices(kindsOf[group], (each) => t(`devices.kinds.${each}`))}
							/>
						)}
						<Stack gap={6}>
							<TextField
								form={form}
								name="number"
								label={t("devices.number")}
								max={40}
								mode={over ? "tel" : "text"}
								required
								auto={isNew}
								lock={!isNew && t("devices.lockedNumber")}
								hint={t(`devices.numberHints.${group}`)}
								placeholder={over ? "+44 1444 123456" : "330"}
							/>
							{over && isNew && <Dialled number={form.value.number} routed />}
							{over && !isNew && device.canonical && (
								<Text size="xs" c="dimmed">
									{t("devices.dialledAs", { number: device.canonical })}
								</Text>
							)}
						</Stack>
						<TextField form={form} name="title" label={t("devices.title")} max={100} hint={t("devices.titleHint")} />
						{kind === "teams" && (
							<TextField form={form} name="teams_user" label={t("devices.teamsUser")} max={256} hint={t("devices.teamsUserHint")} />
						)}
						<TextField form={form} name="description" label={t("devices.description")} max={1000} lines={2} />
						<SwitchField form={form} name="available_for_selection" label={t("devices.available")} hint={t("devices.availableHint")} />
						<SwitchField form={form} name="do_not_disturb" label={t("users.doNotDisturb")} hint={t("devices.doNotDisturbHint")} />
					</Fields>
				</Card>
				{device?.kind === "external" && <VerificationCard device={device} written={(now) => (etag.current = now)} />}
				{over && (
					<Card title={t("devices.guard")} text={t("devices.guardText")}>
						<Fields>
							<OpenNumberField form={form} name="too_soon_ms" label={t("devices.tooSoon")} min={0} max={60000} step={100} suffix=" ms" hint={t("devices.tooSoonHint")} open={siteTime(site?.too_soon_ms)} />
							<OpenNumberField form={form} name="too_late_ms" label={t("devices.tooLate")} min={0} max={600000} step={1000} suffix=" ms" hint={t("devices.tooLateHint")} open={siteTime(site?.too_late_ms)} />
							<SwitchField form={form} name="confirm" label={t("devices.confirm")} hint={t("devices.confirmHint")} />
						</Fields>
						{!form.locked && (form.value.too_soon_ms !== null || form.value.too_late_ms !== null) && (
							<Group gap="xs" mt="md">
								<Button
									size="xs"
									variant="light"
									onClick={() => {
										form.set("too_soon_ms", null);
										form.set("too_late_ms", null);
									}}
								>
									{t("devices.guardOfSite")}
								</Button>
							</Group>
						)}
					</Card>
				)}
				{over && device && (
					<AnswerTimes
						deviceId={device.id}
						use={
							form.locked
								? null
								: (times) => {
										if (times.too_soon_ms !== undefined) form.set("too_soon_ms", times.too_soon_ms);
										if (times.too_late_ms !== undefined) form.set("too_late_ms", times.too_late_ms);
									}
						}
					/>
				)}
				<Card title={t("devices.calls")}>
					<Fields>
						<NumberField form={form} name="call_limit" label={t("users.callLimit")} min={0} max={1000} hint={t("devices.callLimitHint")} />
						{registers && (
							<ChoiceField
								form={form}
								name="nat"
								label={t("devices.nat")}
								hint={t("devices.natHint")}
								options={choices(["auto", "always", "never"] as const, (each) => t(`devices.natChoices.${each}`))}
							/>
						)}
						{over && (
							<ChoiceField
								form={form}
								name="caller_id"
								label={t("devices.callerId")}
								hint={t("devices.callerIdHint")}
								options={choices(["trunk_default", "original", "own_did", "fixed"] as const, (each) => t(`devices.callerIdChoices.${each}`))}
							/>
						)}
						{over && form.value.caller_id === "fixed" && (
							<TextField form={form} name="caller_id_number" label={t("devices.callerIdNumber")} max={32} mode="tel" required />
						)}
					</Fields>
				</Card>
			</FormPage>
			<Modal
				opened={shown !== null}
				onClose={() => {
					setShown(null);
					if (isNew) navigate(list);
				}}
				size={720}
				title={<Text fw={650}>{shown && t("devices.made.title", { name: shown.device.title || shown.device.number })}</Text>}
				closeButtonProps={{ "aria-label": t("forms.close") }}
				closeOnClickOutside={false}
			>
				{shown && <Credentials device={shown.device} password={shown.password} />}
			</Modal>
		</>
	);
}

function Standing({ device }: { device: Device }) {
	const { t } = useTranslation();
	return (
		<Group gap="md">
			{device.state && <DeviceState state={device.state} />}
			{device.presence && <Presence presence={device.presence} />}
			{device.trunks && (
				<Group gap="xs">
					{t("devices.reachedOver")} <TeamsTrunk trunks={device.trunks} />
				</Group>
			)}
			{device.holder ? (
				<span>
					{t(device.held === "selected" ? "devices.selectedBy" : "devices.assignedTo")}{" "}
					<Link href={`/users/${device.holder.user_id}`} className="link">
						{device.holder.title} ({device.holder.extension})
					</Link>
					{(device.holder_count ?? 1) > 1 && ` ${t("devices.andOthers", { count: (device.holder_count ?? 1) - 1 })}`}
				</span>
			) : (
				<span>{t("devices.free")}</span>
			)}
		</Group>
	);
}
