// Manage → Trunks: lines to carriers, and to Teams.
import { Badge, Group, PasswordInput } from "@mantine/core";
import IconTrunk from "@tabler/icons-react/icons/IconPlugConnected";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Trunk } from "../../api/resources";
import { ChoiceField, NumberField, SwitchField, TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import { ListPage, type Column } from "../../parts/ListPage";
import { useRemove } from "../../parts/useRemove";
import { serviceOf } from "./service";
import { SimplePage } from "./simple";
import { TargetRows } from "./TargetRows";
import { identityBlank, identityNames, TrunkIdentity } from "./TrunkIdentity";
import { profileBlank, profileNames, TrunkProfile } from "./TrunkProfile";
import { RegistrationBadge, legsText, ServiceBadge, TrunkStateCard, useTrunkStates } from "./TrunkState";

export function TrunkList() {
	const { t } = useTranslation();
	const { data: states } = useTrunkStates();
	const remove = useRemove("trunks", {
		nameOf: (trunk) => trunk.title,
		title: (trunks) => t("outside.deleteTrunk.title", { names: trunks.map((trunk) => trunk.title).join(", ") }),
		consequences: () => [t("outside.deleteTrunk.routes"), t("outside.deleteTrunk.calls")],
	});
	const columns = useMemo(
		(): Column<Trunk>[] => [
			{ id: "title", header: t("outside.title"), cell: (trunk) => trunk.title, link: true },
			{ id: "host", header: t("outside.host"), cell: (trunk) => (trunk.port ? `${trunk.host}:${trunk.port}` : trunk.host) },
			{ id: "transport", header: t("outside.transport"), cell: (trunk) => t(`outside.transports.${trunk.transport}`) },
			{ id: "username", header: t("outside.username"), cell: (trunk) => trunk.username || "–" },
			{
				id: "enabled",
				header: t("outside.enabled"),
				cell: (trunk) => (
					<Badge variant="light" tt="none" color={trunk.enabled ? "petrol" : "gray"}>
						{t(trunk.enabled ? "outside.on" : "outside.off")}
					</Badge>
				),
			},
			{
				id: "state",
				sortable: false,
				header: t("outside.state"),
				cell: (trunk) => {
					const state = trunk.enabled ? states?.find((each) => each.trunk_id === trunk.id) : undefined;
					return state ? (
						<Group gap={4} wrap="nowrap">
							<ServiceBadge service={serviceOf(state)} />
							{state.registration && <RegistrationBadge registration={state.registration} />}
						</Group>
					) : (
						"–"
					);
				},
			},
			{
				id: "legs",
				header: t("outside.legs"),
				sortable: false,
				numeric: true,
				cell: (trunk) => {
					const state = states?.find((each) => each.trunk_id === trunk.id);
					return state ? legsText(state) : "–";
				},
			},
			{ id: "inbound", header: t("outside.inbound"), cell: (trunk) => trunk.inbound || "–", hidden: true },
		],
		[t, states],
	);
	return (
		<ListPage
			resource="trunks"
			name="trunks"
			title={t("shell.trunks")}
			text={t("outside.trunksText")}
			columns={columns}
			sort="title"
			nameOf={(trunk) => trunk.title}
			hrefOf={(trunk) => `/trunks/${trunk.id}`}
			cloneOf={(trunk) => `/trunks/new?clone=${trunk.id}`}
			remove={remove}
			add={{ href: "/trunks/new" }}
			empty={{ title: t("outside.noTrunks"), text: t("outside.noTrunksText"), icon: <IconTrunk size={32} /> }}
		/>
	);
}

const names = ["title", ...profileNames, "host", "port", "targets", "options_interval_s", "transport", "username", "realm", "registers", "registration_user", "registration_expires_s", "inbound", "inbound_username", "caller_id", "caller_id_policy", "diversion", "number_refusals", "legs_max", "legs_per_s", "outside_legs_per_hour", ...identityNames, "enabled", "trusts_caller_number", "unknown_did", "unknown_did_extension"] as const;
type TrunkValue = Pick<Required<Trunk>, (typeof names)[number]> & { password: string; inbound_password: string };

export function TrunkPage() {
	const { t } = useTranslation();
	return (
		<SimplePage<"trunks", TrunkValue>
			resource="trunks"
			list={{ href: "/trunks", label: t("shell.trunks") }}
			newTitle={t("outside.newTrunk")}
			blank={{ title: "", ...profileBlank, host: "", port: 0, targets: "", options_interval_s: 30, transport: "udp", username: "", realm: "", registers: false, registration_user: "", registration_expires_s: 600, inbound: "", inbound_username: "", inbound_password: "", caller_id: "", caller_id_policy: "original", diversion: "diversion", number_refusals: "403 428 433 436 437 438 488 603 606 608", legs_max: 0, legs_per_s: 0, outside_legs_per_hour: 0, ...identityBlank, enabled: true, trusts_caller_number: true, unknown_did: "site", unknown_did_extension: "", password: "" }}
			valueOf={(trunk) => ({ ...(Object.fromEntries(names.map((name) => [name, trunk[name]])) as unknown as TrunkValue), password: "", inbound_password: "" })}
			bodyOf={({ password, inbound_password, ...rest }) => ({ ...rest, ...(password ? { password } : {}), ...(inbound_password ? { inbound_password } : {}) })}
			nameOf={(trunk) => trunk.title}
			forClone={{ title: "" }}
			labels={{
				title: t("outside.title"),
				profile: t("outside.profile"),
				own_host: t("outside.ownHost"),
				host: t("outside.host"),
				port: t("outside.port"),
				targets: t("outside.targets"),
				options_interval_s: t("outside.optionsInterval"),
				transport: t("outside.transport"),
				username: t("outside.username"),
				realm: t("outside.realm"),
				registers: t("outside.registers"),
				registration_user: t("outside.registrationUser"),
				registration_expires_s: t("outside.registrationExpires"),
				inbound: t("outside.inbound"),
				inbound_username: t("outside.inboundUsername"),
				inbound_password: t("outside.inboundPassword"),
				caller_id: t("outside.callerId"),
				outside_legs_per_hour: t("outside.legsPerHour"),
				legs_max: t("outside.legsMax"),
				legs_per_s: t("outside.legsPerS"),
				called_format: t("outside.calledFormat"),
				caller_format: t("outside.callerFormat"),
				asserted_identity: t("outside.asserted"),
				trusts_asserted_identity: t("outside.trustsAsserted"),
				from_user: t("outside.fromUser"),
				from_name: t("outside.fromName"),
				caller_id_policy: t("outside.callerIdPolicy"),
				diversion: t("outside.diversion"),
				number_refusals: t("outside.numberRefusals"),
				enabled: t("outside.enabled"),
				trusts_caller_number: t("numbers.trusts"),
				unknown_did: t("numbers.unknown"),
				unknown_did_extension: t("numbers.unknownExtension"),
			}}
			fields={(form, isNew, trunk) => (
				<>
					{trunk?.enabled && <TrunkStateCard id={trunk.id} />}
					<Card title={t("outside.where")}>
						<Fields>
							<TextField form={form} name="title" label={t("outside.title")} max={100} required auto={isNew} />
							<TrunkProfile form={form} isNew={isNew} />
							<TextField form={form} name="host" label={t("outside.host")} max={253} required hint={t("outside.hostHint")} placeholder="sip.example.com" />
							<NumberField form={form} name="port" label={t("outside.port")} min={0} max={65535} hint={t("outside.portHint")} />
							<ChoiceField
								form={form}
								name="transport"
								label={t("outside.transport")}
								options={(["udp", "tcp", "tls", "auto"] as const).map((value) => ({ value, label: t(`outside.transports.${value}`) }))}
							/>
							<SwitchField form={form} name="enabled" label={t("outside.enabled")} hint={t("outside.enabledHint")} />
						</Fields>
					</Card>
					<Card title={t("outside.several")} text={t("outside.severalText")}>
						<TargetRows value={form.value.targets} set={(text) => form.set("targets", text)} error={form.errors["targets"]} locked={form.locked} />
						<Fields>
							<NumberField
								form={form}
								name="options_interval_s"
								label={t("outside.optionsInterval")}
								min={0}
								max={3600}
								suffix=" s"
								hint={t("outside.optionsIntervalHint")}
							/>
						</Fields>
					</Card>
					<Card title={t("outside.account")} text={t("outside.accountText")}>
						<Fields>
							<TextField form={form} name="username" label={t("outside.username")} max={128} />
							<PasswordInput
								label={t("outside.password")}
								description={t(isNew ? "outside.passwordHint" : "outside.passwordKept")}
								inputWrapperOrder={["label", "input", "description", "error"]}
								autoComplete="new-password"
								maxLength={128}
								error={form.errors["password"]}
								readOnly={form.locked}
								value={form.value.password}
								onChange={(event) => form.set("password", event.currentTarget.value)}
							/>
							<TextField form={form} name="realm" label={t("outside.realm")} max={128} hint={t("outside.realmHint")} />
						</Fields>
					</Card>
					<Card title={t("outside.registration")} text={t("outside.registrationText")}>
						<Fields>
							<SwitchField form={form} name="registers" label={t("outside.registers")} hint={t("outside.registersHint")} />
							{form.value.registers && (
								<>
									<TextField form={form} name="registration_user" label={t("outside.registrationUser")} max={128} hint={t("outside.registrationUserHint")} />
									<NumberField form={form} name="registration_expires_s" label={t("outside.registrationExpires")} min={60} max={86400} hint={t("outside.registrationExpiresHint")} />
								</>
							)}
						</Fields>
					</Card>
					<Card title={t("outside.calls")}>
						<Fields>
							<TextField form={form} name="inbound" label={t("outside.inbound")} max={1000} hint={t("outside.inboundHint")} placeholder="192.0.2.0/24" />
							<TextField form={form} name="inbound_username" label={t("outside.inboundUsername")} max={64} hint={t("outside.inboundUsernameHint")} />
							{form.value.inbound_username && (
								<PasswordInput
									label={t("outside.inboundPassword")}
									description={t(isNew ? "outside.inboundPasswordHint" : "outside.inboundPasswordKept")}
									inputWrapperOrder={["label", "input", "description", "error"]}
									autoComplete="new-password"
									maxLength={128}
									error={form.errors["inbound_password"]}
									readOnly={form.locked}
									value={form.value.inbound_password}
									onChange={(event) => form.set("inbound_password", event.currentTarget.value)}
								/>
							)}
							<TextField form={form} name="caller_id" label={t("outside.callerId")} max={32} mode="tel" hint={t("outside.callerIdHint")} />
							<NumberField form={form} name="legs_max" label={t("outside.legsMax")} min={0} max={100000} hint={t("outside.legsMaxHint")} />
							<NumberField form={form} name="legs_per_s" label={t("outside.legsPerS")} min={0} max={10000} hint={t("outside.legsPerSHint")} />
							<NumberField form={form} name="outside_legs_per_hour" label={t("outside.legsPerHour")} min={0} max={1_000_000} hint={t("outside.legsPerHourHint")} />
							<SwitchField form={form} name="trusts_caller_number" label={t("numbers.trusts")} hint={t("numbers.trustsHint")} />
							<ChoiceField
								form={form}
								name="caller_id_policy"
								label={t("outside.callerIdPolicy")}
								hint={t("outside.callerIdPolicyHint")}
								options={(["original", "own_did", "fixed"] as const).map((value) => ({ value, label: t(`outside.callerIdPolicies.${value}`) }))}
							/>
							<ChoiceField
								form={form}
								name="diversion"
								label={t("outside.diversion")}
								hint={t("outside.diversionHint")}
								options={(["none", "diversion", "history_info", "both"] as const).map((value) => ({ value, label: t(`outside.diversions.${value}`) }))}
							/>
							<TextField form={form} name="number_refusals" label={t("outside.numberRefusals")} max={100} hint={t("outside.numberRefusalsHint")} />
							<ChoiceField
								form={form}
								name="unknown_did"
								label={t("numbers.unknown")}
								hint={t("numbers.unknownHint")}
								options={(["site", "not_found", "busy", "extension"] as const).map((value) => ({ value, label: t(`numbers.unknowns.${value}`) }))}
							/>
							{form.value.unknown_did === "extension" && (
								<TextField form={form} name="unknown_did_extension" label={t("numbers.unknownExtension")} max={15} mode="tel" hint={t("numbers.unknownExtensionHint")} />
							)}
						</Fields>
					</Card>
					<TrunkIdentity form={form} />
				</>
			)}
		/>
	);
}
