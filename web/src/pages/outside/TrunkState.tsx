// How trunks are now: a word in the list, and on a trunk's page each target with what it answered last.
import { Badge, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { Card } from "../../parts/FormPage";
import { SimpleTable } from "../../parts/SimpleTable";
import { moment } from "../../parts/time";
import { serviceOf, type Service } from "./service";

export type TrunkState = Schemas["TrunkState"];
type Target = Schemas["TrunkTargetState"];

const colors = { unknown: "gray", in_service: "teal", partly: "orange", out_of_service: "red" } as const;
const AGAIN_MS = 15000; // events tell when a service changes; round-trip times are read again

export function useTrunkStates() {
	return useQuery({
		queryKey: ["trunk-states"],
		queryFn: async ({ signal }) => (await request<Schemas["TrunkStatePage"]>("GET", "/trunk-states", { signal })).data.items,
		refetchInterval: AGAIN_MS,
	});
}

// Used of what may be used: "3 / 30".
export function legsText(state: TrunkState): string {
	return state.legs_max ? `${state.legs} / ${state.legs_max}` : String(state.legs);
}

export function ServiceBadge({ service }: { service: Service }) {
	const { t } = useTranslation();
	return (
		<Badge variant="light" tt="none" miw="max-content" color={colors[service]}>
			{t(`outside.services.${service}`)}
		</Badge>
	);
}

type Registration = Schemas["TrunkRegistration"];

const registrationColors = { registering: "gray", registered: "teal", failed: "orange", refused: "red" } as const;

export function RegistrationBadge({ registration }: { registration: Registration }) {
	const { t } = useTranslation();
	return (
		<Badge variant="light" tt="none" color={registrationColors[registration.status]} title={registration.sentence}>
			{t(`outside.registrations.${registration.status}`)}
		</Badge>
	);
}

// What the carrier answered, in its own words, and what comes next.
function RegistrationLines({ registration }: { registration: Registration }) {
	const { t } = useTranslation();
	return (
		<Stack gap={4} mb="md">
			<Group gap="xs">
				<Text fw={500}>{t("outside.registration")}</Text>
				<RegistrationBadge registration={registration} />
				<Text size="sm" c="dimmed">
					{registration.since && t("outside.registrationSince", { when: moment(registration.since) })}
				</Text>
			</Group>
			<Text size="sm">{registration.sentence}</Text>
			<Text size="sm" c="dimmed">
				{registration.registered_until ? t("outside.registeredUntil", { when: moment(registration.registered_until) }) : t("outside.notRegistered")}{" "}
				{registration.next_try_at && t("outside.nextTry", { when: moment(registration.next_try_at) })}
			</Text>
		</Stack>
	);
}

export function TrunkStateCard({ id }: { id: string }) {
	const { t } = useTranslation();
	const { data } = useQuery({
		queryKey: ["trunk-states", id],
		queryFn: async ({ signal }) => (await request<TrunkState>("GET", `/trunks/${id}/state`, { signal })).data,
		refetchInterval: AGAIN_MS,
	});
	return (
		<Card title={t("outside.state")} text={data?.reason ?? undefined} aside={data && <ServiceBadge service={serviceOf(data)} />}>
			{data?.registration && <RegistrationLines registration={data.registration} />}
			<SimpleTable<Target>
				label={t("outside.targets")}
				rows={data?.targets}
				keyOf={(target) => `${target.transport} ${target.address}`}
				columns={[
					{ id: "host", header: t("outside.targetHost"), cell: (target) => target.host },
					{ id: "address", header: t("outside.address"), numeric: true, cell: (target) => `${target.address} ${target.transport.toUpperCase()}` },
					{ id: "service", header: t("outside.service"), cell: (target) => <ServiceBadge service={target.service} /> },
					{
						id: "answer",
						header: t("outside.lastAnswer"),
						cell: (target) => (
							<>
								{target.last_status ?? "–"}
								{target.reason && (
									<Text size="xs" c="dimmed">
										{target.reason}
									</Text>
								)}
							</>
						),
					},
					{ id: "rtt", header: t("outside.roundTrip"), numeric: true, cell: (target) => (target.round_trip_ms === null ? "–" : `${target.round_trip_ms} ms`) },
					{ id: "checked", header: t("outside.checkedAt"), cell: (target) => (target.checked_at ? moment(target.checked_at) : "–") },
					{ id: "since", header: t("outside.since"), cell: (target) => moment(target.since) },
				]}
			/>
			{data && (
				<Text size="sm" c="dimmed" mt="sm">
					{t("outside.legsSentence", { legs: legsText(data), begun: data.legs_begun, refused: data.legs_refused })}
					{data.own_number_until && ` ${t("outside.ownNumberUntil", { until: moment(data.own_number_until) })}`}
				</Text>
			)}
		</Card>
	);
}
