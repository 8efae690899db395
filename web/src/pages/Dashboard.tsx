// Overview: is everything all right, and if not, what? And for a new installation: what to do next.
import { Alert, Anchor, Group, List, Paper, SimpleGrid, Skeleton, Stack, Text, ThemeIcon, Timeline, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import IconError from "@tabler/icons-react/icons/IconAlertOctagon";
import IconWarning from "@tabler/icons-react/icons/IconAlertTriangle";
import IconCheck from "@tabler/icons-react/icons/IconCheck";
import IconNote from "@tabler/icons-react/icons/IconInfoCircle";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import i18next from "i18next";
import { Link } from "wouter";
import { request, type Schemas } from "../api/client";
import { useCalls } from "../api/events";
import { PageHead } from "../parts/PageHead";
import { Failure } from "../parts/States";
import { MediaRelays } from "./MediaRelays";
import { CallCard } from "./realtime/Calls";

type Status = Schemas["Status"];
type Trouble = Status["problems"][number];

const looks = {
	error: { colour: "red", icon: <IconError /> },
	warning: { colour: "orange", icon: <IconWarning /> },
	note: { colour: "gray", icon: <IconNote /> },
} as const;

function troubleHref(code: string, id: string): string | null {
	if (code.startsWith("user")) return `/users/${id}`;
	if (code.startsWith("device")) return `/devices/sip/${id}`;
	if (code.startsWith("trunk")) return `/trunks/${id}`;
	return null;
}

// All that a trouble is about, in a list.
const troubleLists: Record<string, string> = { users_unreachable: "/users?reach=unreachable", users_without_device: "/users?reach=nothing" };

function More({ href, text }: { href: string | undefined; text: string }) {
	if (!href) return <Text size="sm">{text}</Text>;
	return (
		<Anchor component={Link} href={href} size="sm">
			{text}
		</Anchor>
	);
}

function TroubleAlert({ trouble }: { trouble: Trouble }) {
	const { t } = useTranslation();
	const look = looks[trouble.severity];
	const key = `status.codes.${trouble.code}`;
	const said = i18next.language !== "en" && i18next.exists(key) ? i18next.t(key as "status.codes.disk_full", { count: trouble.count }) : trouble.sentence;
	return (
		<Alert color={look.colour} variant="light" icon={look.icon} title={said} data-code={trouble.code}>
			{trouble.examples.length > 0 && (
				<List listStyleType="none" size="sm" spacing={2}>
					{trouble.examples.map(({ id, label }) => {
						const href = troubleHref(trouble.code, id);
						return (
							<List.Item key={id}>
								{href ? (
									<Anchor component={Link} href={href} size="sm">
										{label}
									</Anchor>
								) : (
									label
								)}
							</List.Item>
						);
					})}
					{trouble.count > trouble.examples.length && (
						<List.Item>
							<More href={troubleLists[trouble.code]} text={t("status.andMore", { count: trouble.count - trouble.examples.length })} />
						</List.Item>
					)}
				</List>
			)}
		</Alert>
	);
}

function Count({ label, value, href }: { label: string; value: number | undefined; href: string }) {
	return (
		<Paper className="card" component={Link} href={href} td="none" c="inherit">
			<Text size="sm" c="dimmed">
				{label}
			</Text>
			{value === undefined ? (
				<Skeleton height={30} width={60} mt={4} />
			) : (
				<Text fz={28} fw={650} className="numeric">
					{new Intl.NumberFormat(i18next.language).format(value)}
				</Text>
			)}
		</Paper>
	);
}

// From nothing to a ringing phone.
function FirstSteps({ counts }: { counts: Status["counts"] }) {
	const { t } = useTranslation();
	const steps: { done: boolean; title: string; text: ReactNode }[] = [
		{ done: counts.devices > 0, title: t("status.first.device"), text: <Anchor component={Link} href="/devices/sip/new" size="sm">{t("status.first.deviceDo")}</Anchor> },
		{ done: counts.registrations > 0, title: t("status.first.register"), text: t("status.first.registerDo") },
		{ done: counts.users > 1, title: t("status.first.user"), text: <Anchor component={Link} href="/users/new" size="sm">{t("status.first.userDo")}</Anchor> },
		{ done: false, title: t("status.first.call"), text: t("status.first.callDo") },
	];
	const at = steps.findIndex((step) => !step.done);
	return (
		<section className="card" aria-labelledby="first-steps">
			<Title order={2} size="h4" id="first-steps" mb="md">
				{t("status.first.title")}
			</Title>
			<Timeline active={at - 1} bulletSize={26}>
				{steps.map((step, nth) => (
					<Timeline.Item key={step.title} title={step.title} bullet={step.done ? <IconCheck size={16} /> : nth + 1}>
						<Text size="sm" c="dimmed">
							{step.text}
						</Text>
					</Timeline.Item>
				))}
			</Timeline>
		</section>
	);
}

export default function Dashboard() {
	const { t } = useTranslation();
	const { data: status, error, refetch } = useQuery({
		queryKey: ["status"],
		queryFn: async ({ signal }) => (await request<Status>("GET", "/status", { signal })).data,
		refetchInterval: 10_000,
	});
	const { data: calls = [] } = useCalls(true);
	if (error && !status) return [<PageHead key="head" title={t("shell.dashboard")} />, <Failure key="failure" error={error} retry={() => void refetch()} />];
	const grave = status?.problems.filter((each) => each.severity !== "note") ?? [];
	const notes = status?.problems.filter((each) => each.severity === "note") ?? [];
	const fresh = status && (status.counts.devices === 0 || status.counts.users < 2);
	return (
		<>
			<PageHead title={t("shell.dashboard")} />
			<Stack gap="md">
				{status &&
					(status.all_right ? (
						<Group className="card" gap="md" wrap="nowrap" role="status">
							<ThemeIcon color="teal.8" radius="xl" size={40}>
								<IconCheck />
							</ThemeIcon>
							<Text fw={650} size="lg">
								{t("status.allRight")}
							</Text>
						</Group>
					) : (
						<Stack gap="sm" role="status" aria-label={t("status.problems", { count: grave.length })}>
							{grave.map((each) => (
								<TroubleAlert key={each.code} trouble={each} />
							))}
						</Stack>
					))}
				<SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="md">
					<Count label={t("status.calls")} value={status?.counts.calls} href="/calls" />
					<Count label={t("status.registrations")} value={status?.counts.registrations} href="/registrations" />
					<Count label={t("status.sessions")} value={status?.counts.sessions} href="/sign-ins" />
					<Count label={t("shell.users")} value={status?.counts.users} href="/users" />
					<Count label={t("status.devices")} value={status?.counts.devices} href="/devices/sip" />
				</SimpleGrid>
				{fresh && <FirstSteps counts={status.counts} />}
				{notes.map((each) => (
					<TroubleAlert key={each.code} trouble={each} />
				))}
				{status && <MediaRelays relays={status.media_relays} />}
				{calls.length > 0 && (
					<Stack gap="sm" component="section" aria-labelledby="calls-now">
						<Title order={2} size="h4" id="calls-now">
							{t("status.callsNow")}
						</Title>
						{calls.slice(0, 5).map((call) => (
							<CallCard key={call.id} call={call} />
						))}
					</Stack>
				)}
				{status && (
					<Text size="xs" c="dimmed">
						Carillon {status.version}
					</Text>
				)}
			</Stack>
		</>
	);
}
