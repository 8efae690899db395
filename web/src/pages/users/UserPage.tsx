// One user: who they are, their extension, what rings for them and how; new, cloned or edited.
import { Alert, Button, Center, Group, List, Loader, Modal, SegmentedControl, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconGone from "@tabler/icons-react/icons/IconUserQuestion";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useParams, useSearch } from "wouter";
import { Problem, request, type Schemas } from "../../api/client";
import { entityGet, refresh, useList, type RingPlan, type User } from "../../api/resources";
import { useMayWrite } from "../../api/session";
import { useConfirm } from "../../parts/Confirm";
import { Copyable } from "../../parts/Copyable";
import type { StateNow } from "../../parts/DeviceState";
import { Dialled, ExtensionIsCode } from "../../parts/Dialled";
import { ChoiceField, NumberField, SwitchField, TextField } from "../../parts/fields";
import { Card, Conflict, Fields, FormPage } from "../../parts/FormPage";
import { RingPlanEditor, type PlanValue, type PlannedTurn } from "../../parts/RingPlanEditor";
import { Failure, Message } from "../../parts/States";
import { unsavedForget } from "../../parts/unsaved";
import { useEditor } from "../../parts/useEditor";
import { ButtonLink } from "../../parts/ButtonLink";
import { PlanWarnings } from "./PlanWarnings";
import { RecordedName } from "./RecordedName";

type Preview = Schemas["RingPlanPreview"];

interface UserValue {
	name: string;
	title: string;
	role: User["role"];
	extension: string;
	password: string;
	pin: string;
	plan: PlanValue;
	unanswered: User["unanswered"];
	unanswered_target: string;
	call_limit: number;
	do_not_disturb: boolean;
	decline_stops: User["decline_stops"];
	six_hundred_stops_all: boolean;
	obey_redirects: boolean;
	calls_any_time: boolean;
	pickup_group: string;
	caller_id: string;
	toll_class: string;
	outside_legs_max: number;
	outside_legs_per_hour: number;
	international_legs_per_hour: number;
}

const blank: UserValue = {
	name: "",
	title: "",
	role: "agent",
	extension: "",
	password: "",
	pin: "",
	plan: { strategy: "at_once", turns: [] },
	unanswered: "busy",
	unanswered_target: "",
	call_limit: 2,
	do_not_disturb: false,
	decline_stops: "device",
	six_hundred_stops_all: true,
	obey_redirects: true,
	calls_any_time: false,
	pickup_group: "",
	caller_id: "",
	toll_class: "1",
	outside_legs_max: 0,
	outside_legs_per_hour: 0,
	international_legs_per_hour: 0,
};

function planOf(plan: RingPlan): PlanValue {
	return {
		strategy: plan.strategy,
		turns: plan.turns.map(
			(turn): PlannedTurn => ({
				device_id: turn.device_id,
				start_s: turn.start_s ?? 0,
				ring_s: turn.ring_s ?? 20,
				number: turn.number ?? "",
				title: turn.title ?? "",
				kind: turn.kind ?? "sip_phone",
			}),
		),
	};
}

function valueOf(user: User, plan: RingPlan): UserValue {
	const { name, title, role, extension, unanswered, unanswered_target, call_limit, do_not_disturb } = user as Required<User>;
	const { decline_stops, six_hundred_stops_all, obey_redirects, calls_any_time, pickup_group, caller_id } = user as Required<User>;
	const { outside_legs_max, outside_legs_per_hour, international_legs_per_hour } = user as Required<User>;
	return {
		...{ outside_legs_max, outside_legs_per_hour, international_legs_per_hour },
		...{ name, title, role, extension, unanswered, unanswered_target, call_limit, do_not_disturb },
		...{ decline_stops, six_hundred_stops_all, obey_redirects, calls_any_time, pickup_group, caller_id },
		toll_class: String(user.toll_class),
		password: "",
		pin: "",
		plan: planOf(plan),
	};
}

// What the API takes of the changed fields; the plan goes its own way.
function bodyOf({ plan: _plan, toll_class, ...fields }: Partial<UserValue>): Record<string, unknown> {
	return { ...fields, ...(toll_class === undefined ? {} : { toll_class: Number(toll_class) }) };
}

function planBody({ strategy, turns }: PlanValue) {
	return {
		strategy,
		turns: turns.map(({ device_id, start_s, ring_s }) => ({ device_id, ring_s, ...(strategy === "at_once" ? { start_s } : {}) })),
	};
}

async function planPut(id: string, plan: PlanValue, etag?: string | null) {
	return request<RingPlan>("PUT", `/users/${id}/ring-plan`, { body: planBody(plan), etag });
}

interface Loaded {
	user: User;
	plan: RingPlan;
	etag: string | null;
}

function useUserWithPlan(id: string | undefined) {
	return useQuery({
		queryKey: ["users", "page", id],
		queryFn: async (): Promise<Loaded> => {
			const [user, plan] = await Promise.all([
				entityGet("users", id as string),
				request<RingPlan>("GET", `/users/${id}/ring-plan`),
			]);
			return { user: user.data, plan: plan.data, etag: user.etag };
		},
		enabled: id !== undefined,
	});
}

export default function UserPage() {
	const { t } = useTranslation();
	const { id } = useParams<{ id?: string }>();
	const cloneId = new URLSearchParams(useSearch()).get("clone") ?? undefined;
	const source = id ?? cloneId;
	const { data, error, refetch } = useUserWithPlan(source);
	if (source && error instanceof Problem && error.status === 404)
		return (
			<Message title={t("forms.gone")} text={t("forms.goneText")} icon={<IconGone size={32} />}>
				<ButtonLink href="/users">{t("forms.back")}</ButtonLink>
			</Message>
		);
	if (error) return <Failure error={error} title={t("forms.failed")} retry={() => void refetch()} />;
	if (source && !data)
		return (
			<Center py={96}>
				<Loader aria-label={t("forms.loading")} />
			</Center>
		);
	return <UserForm key={source ?? "new"} id={id} loaded={id ? data : undefined} original={id ? undefined : data} />;
}

// What becomes of the original's devices when a user is cloned: nothing, unless somebody says so.
type Fate = "leave" | "share" | "take";

function UserForm({ id, loaded, original }: { id: string | undefined; loaded: Loaded | undefined; original: Loaded | undefined }) {
	const { t } = useTranslation();
	const [, navigate] = useLocation();
	const client = useQueryClient();
	const mayWrite = useMayWrite();
	const start = useMemo((): UserValue => {
		if (loaded) return valueOf(loaded.user, loaded.plan);
		if (!original) return blank;
		return { ...valueOf(original.user, original.plan), name: "", title: "", extension: "", plan: { strategy: original.plan.strategy, turns: [] } };
	}, [loaded, original]);
	const form = useEditor(start, !mayWrite);
	const etag = useRef(loaded?.etag ?? null);
	const [fates, setFates] = useState<Record<string, Fate>>({});
	const [theirs, setTheirs] = useState<UserValue | null>(null);
	const [made, setMade] = useState<{ name: string; title: string; extension: string; password: string; id: string } | null>(null);
	const isNew = id === undefined;
	const sessions = useList("sessions", { user_id: id, limit: 20 }, !isNew);
	const signedIn = (sessions.data?.total ?? 0) > 0;
	const states = useStates(id, form.value.plan);
	const confirm = useConfirm();

	// What somebody else has changed is shown at once while nothing is being edited here.
	useEffect(() => {
		if (!loaded || loaded.etag === etag.current || form.dirty) return;
		etag.current = loaded.etag;
		form.reset(valueOf(loaded.user, loaded.plan));
	});
	useEffect(() => {
		if (!form.stale || !id) return;
		void Promise.all([entityGet("users", id), request<RingPlan>("GET", `/users/${id}/ring-plan`)]).then(([user, plan]) => {
			etag.current = user.etag;
			setTheirs(valueOf(user.data, plan.data));
		});
	}, [form.stale, id]);

	const write = async (changes: Partial<UserValue>) => {
		if (!id) return;
		const fields = bodyOf(changes);
		if (Object.keys(fields).length) etag.current = (await request<User>("PATCH", `/users/${id}`, { body: fields, etag: etag.current })).etag;
		if (changes.plan) etag.current = (await planPut(id, changes.plan, etag.current)).etag ?? etag.current;
		const [user, plan] = await Promise.all([entityGet("users", id), request<RingPlan>("GET", `/users/${id}/ring-plan`)]);
		etag.current = user.etag;
		form.reset(valueOf(user.data, plan.data));
		notifications.show({ message: t("forms.saved", { name: user.data.title }), color: "teal" });
		await refresh(client, "users");
	};

	// The new user comes first; only then is anything taken from the original.
	const create = async () => {
		const { plan, password, pin, ...fields } = form.value;
		const { data: user } = await request<Schemas["CreatedUser"]>("POST", "/users", {
			body: { ...bodyOf(fields), ...(password ? { password } : {}), ...(pin ? { pin } : {}) },
		});
		const inherited = original?.plan.turns.filter((turn) => (fates[turn.device_id] ?? "leave") !== "leave") ?? [];
		const taken = inherited.filter((turn) => fates[turn.device_id] === "take").map((turn) => turn.device_id);
		const whole = { ...plan, turns: [...(original ? planOf({ ...original.plan, turns: inherited }).turns : []), ...plan.turns] };
		try {
			if (original && taken.length) {
				const rest = planOf(original.plan);
				await planPut(original.user.id, { ...rest, turns: rest.turns.filter((turn) => !taken.includes(turn.device_id)) });
			}
			if (whole.turns.length || whole.strategy !== "at_once") await planPut(user.id, whole);
		} catch (error) {
			if (!(error instanceof Problem)) throw error;
			notifications.show({ title: t("users.planNotSaved"), message: error.message, color: "orange", autoClose: false });
		}
		unsavedForget();
		form.reset(form.value);
		await refresh(client, "users");
		if (user.password) setMade({ name: user.name, title: user.title, extension: user.extension, password: user.password, id: user.id });
		else {
			notifications.show({ message: t("forms.created", { name: user.title }), color: "teal" });
			navigate(`/users/${user.id}`, { replace: true });
		}
	};

	const end = async () => {
		const name = loaded?.user.title ?? "";
		if (!(await confirm({ title: t("users.end.title", { name }), consequences: [t("users.end.where"), t("users.end.device"), t("users.end.calls")], button: t("users.end.button") }))) return;
		await form.attempt(async () => {
			for (const session of sessions.data?.items ?? []) await request("DELETE", `/sessions/${session.id}`);
			await refresh(client, "sessions");
		});
	};

	const labels = {
		title: t("users.title"),
		role: t("users.role"),
		extension: t("users.extension"),
		plan: t("ringPlan.title"),
		unanswered: t("users.unanswered"),
		unanswered_target: t("users.target"),
		call_limit: t("users.callLimit"),
		do_not_disturb: t("users.doNotDisturb"),
		decline_stops: t("users.declineStops"),
		six_hundred_stops_all: t("users.sixHundred"),
		obey_redirects: t("users.obeyRedirects"),
		calls_any_time: t("users.anyTime"),
		pickup_group: t("users.pickupGroup"),
		caller_id: t("users.callerId"),
		toll_class: t("users.tollClass"),
		outside_legs_max: t("users.legsMax"),
		outside_legs_per_hour: t("users.legsPerHour"),
		international_legs_per_hour: t("users.internationalPerHour"),
	};
	const choices = <T extends string>(all: readonly T[], label: (each: T) => string) => all.map((value) => ({ value, label: label(value) }));
	const signedInLock = !isNew && signedIn && t("users.lockedSignedIn");
	const planError = form.errors["turns"] ?? form.errors["device_id"] ?? form.errors["strategy"];
	return (
		<>
			<FormPage
				title={isNew ? (original ? t("users.cloneTitle", { name: original.user.title }) : t("users.newTitle")) : (loaded?.user.title ?? "")}
				text={isNew ? t("users.newText") : t("shell.extension", { extension: loaded?.user.extension ?? "" })}
				list={{ href: "/users", label: t("shell.users") }}
				form={form}
				isNew={isNew}
				save={() => form.attempt(() => (isNew ? create() : write(form.changes)))}
				conflict={
					<Conflict
						form={form}
						theirs={theirs}
						labels={labels}
						show={(name, value) =>
							name === "plan"
								? (value as PlanValue).turns.map((turn) => turn.title || turn.number).join(", ") || "–"
								: (undefined as unknown as string)
						}
						keepMine={() => {
							if (!theirs) return;
							const { changes } = form;
							form.rebase(theirs, { ...theirs, ...changes });
							void form.attempt(() => write(changes));
						}}
					/>
				}
			>
				<Card title={t("users.person")}>
					{!isNew && signedIn && (
						<Alert variant="light" mb="md">
							<Group justify="space-between" gap="sm">
								<Text size="sm">{t("users.signedIn", { count: sessions.data?.total ?? 0 })}</Text>
								{mayWrite && (
									<Button size="xs" variant="default" onClick={() => void end()}>
										{t("users.end.button")}
									</Button>
								)}
							</Group>
						</Alert>
					)}
					<Fields>
						<TextField form={form} name="title" label={t("users.title")} max={100} required hint={t("users.titleHint")} auto={isNew} />
						<Stack gap={6}>
							<TextField
								form={form}
								name="extension"
								label={t("users.extension")}
								max={15}
								mode="tel"
								required
								lock={signedInLock}
								hint={t("users.extensionHint")}
							/>
							<ExtensionIsCode extension={form.value.extension} />
						</Stack>
						<TextField
							form={form}
							name="name"
							label={t("users.name")}
							max={64}
							required
							lock={!isNew && t("users.lockedName")}
							hint={t("users.nameHint")}
						/>
						<ChoiceField
							form={form}
							name="role"
							label={t("users.role")}
							lock={signedInLock}
							hint={t(`users.roleHints.${form.value.role}`)}
							options={choices(["agent", "admin", "auditor"] as const, (role) => t(`users.roles.${role}`))}
						/>
						<TextField
							form={form}
							name="password"
							label={t(isNew ? "users.password" : "users.newPassword")}
							max={256}
							hint={t(isNew ? "users.passwordHint" : "users.newPasswordHint")}
						/>
						<TextField
							form={form}
							name="pin"
							label={t("users.pin")}
							max={15}
							mode="tel"
							hint={t(loaded?.user.has_pin ? "users.pinSet" : "users.pinHint")}
						/>
					</Fields>
				</Card>
				{original && original.plan.turns.length > 0 && (
					<Inherited original={original} fates={fates} setFate={(device, fate) => setFates({ ...fates, [device]: fate })} />
				)}
				<Card title={t("ringPlan.title")} text={t("ringPlan.text")}>
					<RingPlanEditor
						value={form.value.plan}
						onChange={(plan) => form.set("plan", plan)}
						afterwards={{ unanswered: form.value.unanswered, target: form.value.unanswered_target }}
						states={states}
						userId={id}
						locked={form.locked}
						error={planError}
					/>
				</Card>
				<PlanWarnings id={id} />
				{id && <RecordedName id={id} name={loaded?.user.title ?? ""} />}
				<Card title={t("users.afterwards")}>
					<Fields>
						<ChoiceField
							form={form}
							name="unanswered"
							label={t("users.unanswered")}
							options={choices(["busy", "hang_up", "extension", "outside"] as const, (each) => t(`users.unansweredChoices.${each}`))}
						/>
						{(form.value.unanswered === "extension" || form.value.unanswered === "outside") && (
							<Stack gap={6}>
								<TextField
									form={form}
									name="unanswered_target"
									label={t(form.value.unanswered === "extension" ? "users.targetExtension" : "users.targetOutside")}
									max={64}
									mode="tel"
									required
								/>
								{form.value.unanswered !== "extension" && <Dialled number={form.value.unanswered_target} routed />}
							</Stack>
						)}
						<NumberField form={form} name="call_limit" label={t("users.callLimit")} min={0} max={1000} hint={t("users.callLimitHint")} />
						<ChoiceField
							form={form}
							name="decline_stops"
							label={t("users.declineStops")}
							options={choices(["device", "all"] as const, (each) => t(`users.declineChoices.${each}`))}
						/>
						<TextField form={form} name="caller_id" label={t("users.callerId")} max={32} mode="tel" hint={t("users.callerIdHint")} />
						<ChoiceField
							form={form}
							name="toll_class"
							label={t("users.tollClass")}
							hint={t("users.tollClassHint")}
							options={choices(["0", "1", "2", "3"] as const, (each) => t(`users.tollClasses.${each}`))}
						/>
						<SwitchField form={form} name="calls_any_time" label={labels.calls_any_time} hint={t("users.anyTimeHint")} />
						<NumberField form={form} name="outside_legs_max" label={labels.outside_legs_max} min={0} max={10_000} hint={t("users.legsHint")} />
						<NumberField form={form} name="outside_legs_per_hour" label={labels.outside_legs_per_hour} min={0} max={100_000} hint={t("users.legsHint")} />
						<NumberField form={form} name="international_legs_per_hour" label={labels.international_legs_per_hour} min={0} max={100_000} hint={t("users.internationalHint")} />
						<SwitchField form={form} name="do_not_disturb" label={t("users.doNotDisturb")} hint={t("users.doNotDisturbHint")} />
						<TextField form={form} name="pickup_group" label={t("users.pickupGroup")} max={32} hint={t("users.pickupGroupHint")} />
						<SwitchField form={form} name="six_hundred_stops_all" label={t("users.sixHundred")} hint={t("users.sixHundredHint")} />
						<SwitchField form={form} name="obey_redirects" label={t("users.obeyRedirects")} hint={t("users.obeyRedirectsHint")} />
					</Fields>
				</Card>
			</FormPage>
			<Modal
				opened={made !== null}
				onClose={() => made && navigate(`/users/${made.id}`, { replace: true })}
				title={<Text fw={650}>{made && t("users.made.title", { name: made.title })}</Text>}
				closeButtonProps={{ "aria-label": t("forms.close") }}
				closeOnClickOutside={false}
			>
				{made && (
					<Stack>
						<Text size="sm">{t("users.made.text")}</Text>
						<Copyable label={t("users.name")} value={made.name} />
						<Copyable label={t("users.password")} value={made.password} secret />
						<List size="sm">
							<List.Item>{t("users.made.once")}</List.Item>
							<List.Item>{t("users.made.change")}</List.Item>
						</List>
						<Button onClick={() => navigate(`/users/${made.id}`, { replace: true })} data-autofocus>
							{t("users.made.done")}
						</Button>
					</Stack>
				)}
			</Modal>
		</>
	);
}

function Inherited({ original, fates, setFate }: { original: Loaded; fates: Record<string, Fate>; setFate: (device: string, fate: Fate) => void }) {
	const { t } = useTranslation();
	const name = original.user.title;
	return (
		<Card title={t("users.inherit.title", { name })} text={t("users.inherit.text", { name })}>
			<Stack gap="sm">
				{planOf(original.plan).turns.map((turn) => (
					<Group key={turn.device_id} justify="space-between" gap="xs">
						<Text size="sm">
							{turn.title || turn.number} <Text span size="xs" c="dimmed">{t(`devices.kinds.${turn.kind}`)}</Text>
						</Text>
						<SegmentedControl
							size="xs"
							aria-label={turn.title || turn.number}
							value={fates[turn.device_id] ?? "leave"}
							onChange={(fate) => setFate(turn.device_id, fate as Fate)}
							data={[
								{ value: "leave", label: t("users.inherit.leave", { name }) },
								turn.kind === "external"
									? { value: "share", label: t("users.inherit.share") }
									: { value: "take", label: t("users.inherit.take", { name }) },
							]}
						/>
					</Group>
				))}
			</Stack>
		</Card>
	);
}

// What each device of the plan is doing now: as the server's preview says, and for those just added, as the device itself says.
function useStates(id: string | undefined, plan: PlanValue) {
	const preview = useQuery({
		queryKey: ["users", "preview", id],
		queryFn: async () => (await request<Preview>("GET", `/users/${id}/ring-plan/preview`)).data,
		enabled: id !== undefined,
		refetchInterval: 10_000,
	});
	const ids = plan.turns.map((turn) => turn.device_id);
	const devices = useQuery({
		queryKey: ["devices", "states", ids],
		queryFn: async () => Promise.all(ids.map(async (each) => (await entityGet("devices", each)).data)),
		enabled: ids.length > 0,
		placeholderData: (before) => before,
	});
	return useMemo(() => {
		const states = new Map<string, { state: StateNow; why?: string | undefined }>();
		for (const device of devices.data ?? []) if (device.state) states.set(device.id, { state: device.state });
		for (const turn of preview.data?.turns ?? []) {
			const known = states.get(turn.device_id);
			if (known && !turn.rings) states.set(turn.device_id, { ...known, why: turn.sentence });
		}
		return states;
	}, [devices.data, preview.data]);
}
