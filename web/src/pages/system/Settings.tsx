// System → Settings: how long people stay signed in, how long a selected device is theirs, and what calls to unknown numbers get.
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { request, type Answer, type Schemas } from "../../api/client";
import { useMayWrite } from "../../api/session";
import { ChoiceField, NumberField, SwitchField, TextField } from "../../parts/fields";
import { Card, Conflict, Fields, FormPage } from "../../parts/FormPage";
import { PageHead } from "../../parts/PageHead";
import { Failure } from "../../parts/States";
import { useEditor } from "../../parts/useEditor";
import { Dialling, useDiallingLabels, type DiallingValue } from "./Dialling";
import { TeamsPresence, usePresenceLabels, type PresenceValue } from "./TeamsPresence";

type Wire = Required<Schemas["Settings"]>;
type MultiLogin = Wire["multi_login"];
type UnknownDid = Wire["unknown_did"];
const unknowns: readonly UnknownDid[] = ["not_found", "busy", "extension"];
const tollClasses = ["0", "1", "2", "3"] as const;
type TollClass = (typeof tollClasses)[number];
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")];
type Language = Wire["prompt_language"];
const policies: readonly MultiLogin[] = ["allow", "refuse", "take_over"];

// People think in minutes here; the API has seconds.
interface Value extends DiallingValue, PresenceValue {
	session_life_s: number;
	session_idle_s: number;
	lease_s: number;
	multi_login: MultiLogin;
	denied_prefixes: string;
	premium_prefixes: string;
	allowed_countries: string;
	user_outside_legs_max: number;
	user_outside_legs_per_hour: number;
	user_international_legs_per_hour: number;
	outside_legs_max: number;
	outside_legs_per_hour: number;
	require_verified_numbers: boolean;
	time_zone: string;
	opening_hours: string;
	closed_days: string;
	closed_toll_class: string;
	too_soon_ms: number;
	too_late_ms: number;
	unknown_did: UnknownDid;
	unknown_did_extension: string;
	prompt_language: Language;
}
const times = ["session_life_s", "session_idle_s", "lease_s"] as const;

function valueOf(wire: Wire): Value {
	const { id: _id, version: _version, session_life_s, session_idle_s, lease_s, closed_toll_class, graph_client_secret_is_set: _set, ...rest } = wire;
	const minutes = { session_life_s: session_life_s / 60, session_idle_s: session_idle_s / 60, lease_s: lease_s / 60 };
	return { ...minutes, closed_toll_class: String(closed_toll_class), ...rest, graph_client_secret: "" };
}

function wireOf(changes: Partial<Value>): Partial<Wire> {
	const { closed_toll_class, ...same } = changes;
	const wire: Partial<Wire> = { ...same };
	if (closed_toll_class !== undefined) wire.closed_toll_class = Number(closed_toll_class);
	for (const name of times) if (changes[name] !== undefined) wire[name] = Math.round(changes[name] * 60);
	return wire;
}

const settingsGet = () => request<Wire>("GET", "/settings");

function SettingsForm({ answer }: { answer: Answer<Wire> }) {
	const { t } = useTranslation();
	const client = useQueryClient();
	const form = useEditor<Value>(valueOf(answer.data), !useMayWrite());
	const etag = useRef(answer.etag);
	const { data: theirs } = useQuery({ queryKey: ["settings", "theirs"], queryFn: settingsGet, enabled: form.stale, gcTime: 0 });

	// Another person's change is taken over as long as nothing was written here; else saving shows it first.
	useEffect(() => {
		if (answer.etag === etag.current || form.dirty) return;
		etag.current = answer.etag;
		form.reset(valueOf(answer.data));
	});

	const save = (of: string | null) =>
		form.attempt(async () => {
			const written = await request<Wire>("PATCH", "/settings", { body: wireOf(form.changes), etag: of });
			etag.current = written.etag;
			client.setQueryData(["settings"], written);
			form.reset(valueOf(written.data));
			notifications.show({ message: t("settings.saved"), color: "teal" });
		});
	const minutes = t("settings.minutes");
	const labels = {
		...useDiallingLabels(),
		...usePresenceLabels(),
		session_life_s: t("settings.life"),
		session_idle_s: t("settings.idle"),
		lease_s: t("settings.lease"),
		multi_login: t("settings.multiLogin"),
		denied_prefixes: t("settings.deniedPrefixes"),
		premium_prefixes: t("settings.premiumPrefixes"),
		allowed_countries: t("settings.allowedCountries"),
		user_outside_legs_max: t("settings.userLegsMax"),
		user_outside_legs_per_hour: t("settings.userLegsPerHour"),
		user_international_legs_per_hour: t("settings.userInternational"),
		outside_legs_max: t("settings.siteLegsMax"),
		outside_legs_per_hour: t("settings.siteLegsPerHour"),
		require_verified_numbers: t("settings.requireVerified"),
		time_zone: t("settings.timeZone"),
		opening_hours: t("settings.openingHours"),
		closed_days: t("settings.closedDays"),
		closed_toll_class: t("settings.closedTollClass"),
		too_soon_ms: t("devices.tooSoon"),
		too_late_ms: t("devices.tooLate"),
		unknown_did: t("numbers.unknown"),
		unknown_did_extension: t("numbers.unknownExtension"),
		prompt_language: t("settings.promptLanguage"),
	};
	const show = (name: string, value: unknown) => {
		if (name === "multi_login") return t(`settings.policies.${value as MultiLogin}`);
		if (name === "closed_toll_class") return t(`users.tollClasses.${value as TollClass}`);
		if (name === "prompt_language") return t(`settings.languages.${value as Language}`);
		if (name === "graph_client_secret") return "•••";
		if (name === "graph_poll_s") return `${String(value)} s`;
		if (typeof value === "boolean") return t(value ? "lists.yes" : "lists.no");
		if (name.endsWith("_ms")) return `${String(value)} ms`;
		if (name === "unknown_did") return t(`numbers.unknowns.${value as UnknownDid}`);
		return times.some((time) => time === name) ? `${String(value)}${minutes}` : String(value);
	};
	return (
		<FormPage
			title={t("shell.settings")}
			text={t("settings.text")}
			list={{ href: "/overview", label: t("shell.dashboard") }}
			form={form}
			isNew={false}
			save={() => save(etag.current)}
			conflict={
				form.stale &&
				theirs && (
					<Conflict
						form={form}
						theirs={valueOf(theirs.data)}
						labels={labels}
						show={show}
						keepMine={() => void save(theirs.etag)}
					/>
				)
			}
		>
			<Card title={t("settings.signingIn")}>
				<Fields>
					<NumberField form={form} name="session_life_s" label={labels.session_life_s} min={5} max={43_200} suffix={minutes} hint={t("settings.lifeHint")} />
					<NumberField form={form} name="session_idle_s" label={labels.session_idle_s} min={0} max={43_200} suffix={minutes} hint={t("settings.idleHint")} />
					<ChoiceField
						form={form}
						name="multi_login"
						label={labels.multi_login}
						options={policies.map((value) => ({ value, label: t(`settings.policies.${value}`) }))}
						hint={t("settings.multiLoginHint")}
					/>
				</Fields>
			</Card>
			<Dialling form={form} />
			<Card title={t("settings.toll")} text={t("settings.tollText")}>
				<Fields>
					<TextField form={form} name="denied_prefixes" label={labels.denied_prefixes} max={1000} mode="tel" placeholder="+882 +883" hint={t("settings.deniedPrefixesHint")} />
					<TextField form={form} name="premium_prefixes" label={labels.premium_prefixes} max={1000} mode="tel" placeholder="+449 118" hint={t("settings.premiumPrefixesHint")} />
					<TextField form={form} name="allowed_countries" label={labels.allowed_countries} max={1000} placeholder="FR DE" hint={t("settings.allowedCountriesHint")} />
				</Fields>
			</Card>
			<Card title={t("settings.hours")} text={t("settings.hoursText")}>
				<Fields>
					<ChoiceField
						form={form}
						name="time_zone"
						label={labels.time_zone}
						options={[...new Set([...zones, form.value.time_zone])].map((value) => ({ value, label: value }))}
						hint={t("settings.timeZoneHint", { zone: browserZone })}
						searchable
					/>
					<TextField form={form} name="opening_hours" label={labels.opening_hours} max={500} placeholder="mon-fri 08:00-18:00, sat 09:00-13:00" hint={t("settings.openingHoursHint")} />
					<TextField form={form} name="closed_days" label={labels.closed_days} max={1000} placeholder="12-25 12-26" hint={t("settings.closedDaysHint")} />
					<ChoiceField
						form={form}
						name="closed_toll_class"
						label={labels.closed_toll_class}
						options={tollClasses.map((value) => ({ value, label: t(`users.tollClasses.${value}`) }))}
					/>
				</Fields>
			</Card>
			<Card title={t("settings.limits")} text={t("settings.limitsText")}>
				<Fields>
					<SwitchField form={form} name="require_verified_numbers" label={labels.require_verified_numbers} hint={t("settings.requireVerifiedHint")} />
					<NumberField form={form} name="user_outside_legs_max" label={labels.user_outside_legs_max} min={0} max={10_000} hint={t("settings.noLimit")} />
					<NumberField form={form} name="user_outside_legs_per_hour" label={labels.user_outside_legs_per_hour} min={0} max={100_000} hint={t("settings.noLimit")} />
					<NumberField form={form} name="user_international_legs_per_hour" label={labels.user_international_legs_per_hour} min={0} max={100_000} hint={t("settings.userInternationalHint")} />
					<NumberField form={form} name="outside_legs_max" label={labels.outside_legs_max} min={0} max={1_000_000} hint={t("settings.noLimit")} />
					<NumberField form={form} name="outside_legs_per_hour" label={labels.outside_legs_per_hour} min={0} max={1_000_000} hint={t("settings.noLimit")} />
				</Fields>
			</Card>
			<Card title={t("devices.guard")} text={t("settings.guardText")}>
				<Fields>
					<NumberField form={form} name="too_soon_ms" label={labels.too_soon_ms} min={0} max={60_000} step={100} suffix=" ms" hint={t("settings.tooSoonHint")} />
					<NumberField form={form} name="too_late_ms" label={labels.too_late_ms} min={0} max={600_000} step={1000} suffix=" ms" hint={t("settings.tooLateHint")} />
					<ChoiceField
						form={form}
						name="prompt_language"
						label={labels.prompt_language}
						options={(["en", "cs"] as const).map((value) => ({ value, label: t(`settings.languages.${value}`) }))}
						hint={t("settings.promptLanguageHint")}
					/>
				</Fields>
			</Card>
			<Card title={t("settings.selecting")}>
				<Fields>
					<NumberField form={form} name="lease_s" label={labels.lease_s} min={0} max={43_200} suffix={minutes} hint={t("settings.leaseHint")} />
				</Fields>
			</Card>
			<TeamsPresence form={form} secretIsSet={answer.data.graph_client_secret_is_set} />
			<Card title={t("shell.dids")}>
				<Fields>
					<ChoiceField
						form={form}
						name="unknown_did"
						label={labels.unknown_did}
						options={unknowns.map((value) => ({ value, label: t(`numbers.unknowns.${value}`) }))}
						hint={t("numbers.unknownHint")}
					/>
					{form.value.unknown_did === "extension" && (
						<TextField form={form} name="unknown_did_extension" label={labels.unknown_did_extension} max={15} mode="tel" hint={t("numbers.unknownExtensionHint")} />
					)}
				</Fields>
			</Card>
		</FormPage>
	);
}

export default function Settings() {
	const { t } = useTranslation();
	const { data: answer, error, refetch } = useQuery({ queryKey: ["settings"], queryFn: settingsGet });
	if (error && !answer) return [<PageHead key="head" title={t("shell.settings")} />, <Failure key="failure" error={error} retry={() => void refetch()} />];
	if (!answer) return <PageHead title={t("shell.settings")} />;
	return <SettingsForm answer={answer} />;
}
