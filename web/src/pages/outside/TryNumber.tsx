// Manage → Numbers → Try a number: each decision on a number's way, without a call. The question stands in the address, so that Back and
// a link keep it.
import { Alert, Badge, Button, Group, List, Paper, SegmentedControl, Select, Stack, Text, TextInput, Title } from "@mantine/core";
import IconNo from "@tabler/icons-react/icons/IconMinus";
import IconYes from "@tabler/icons-react/icons/IconCheck";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useSearch } from "wouter";
import { Problem, request, type Schemas } from "../../api/client";
import { useList } from "../../api/resources";
import { ButtonLink } from "../../parts/ButtonLink";
import { PageHead } from "../../parts/PageHead";
import { SimpleTable } from "../../parts/SimpleTable";
import { Failure } from "../../parts/States";

type Explanation = Schemas["DialExplanation"];
type Way = Explanation["routes"][number];
type Direction = "out" | "in";

function useSentences(answer: Explanation) {
	const { t, i18n } = useTranslation();
	const shown = [answer.caller_name, answer.caller_number].filter(Boolean).join(", ") || t("tryNumber.anonymous");
	// What the server says in its own words is better than nothing.
	const code = (name: string, sentence: string | null, way?: Way) =>
		i18n.exists(`tryNumber.codes.${name}`)
			? t(`tryNumber.codes.${name as "toll_class"}`, { needed: way?.toll_class_needed ?? 0, held: way?.toll_class_held ?? 0 })
			: (sentence ?? name);
	const step = ({ step, holds }: Explanation["steps"][number]) =>
		t(`tryNumber.steps.${step}.${holds ? "yes" : "no"}`, {
			canonical: answer.canonical ?? "",
			kind: answer.class ? t(`tryNumber.classes.${answer.class}`) : "",
			did: answer.did?.canonical.replace("-", " – ") ?? "",
			name: shown,
		});
	const verdict = (way: Way) => (way.code ? code(way.code, way.sentence, way) : t(way.taken ? "tryNumber.taken" : "tryNumber.allowed"));
	const result = () => {
		const taken = answer.routes.find((way) => way.taken);
		switch (answer.result) {
			case "user":
				return t("tryNumber.results.user", { title: answer.user?.title ?? "", extension: answer.user?.extension ?? "" });
			case "feature":
				return t("tryNumber.results.feature", { feature: answer.feature ?? "" });
			case "outside":
				return t("tryNumber.results.outside", { trunk: taken?.trunk.title ?? "", sent: taken?.sent ?? "" });
			case "refused":
				return t("tryNumber.results.refused", { status: answer.sip_status ?? 0, reason: code(answer.code ?? "", answer.sentence, answer.routes[0]) });
		}
	};
	return { step, verdict, result: result(), shown };
}

function Answer({ answer, incoming }: { answer: Explanation; incoming: boolean }) {
	const { t } = useTranslation();
	const { step, verdict, result, shown } = useSentences(answer);
	return (
		<Stack>
			<Alert color={answer.result === "refused" ? "red" : "teal"} title={result} role="status">
				<Group gap="md">
					{incoming && answer.result === "user" && <Text size="sm">{t("tryNumber.shownAs", { name: shown })}</Text>}
					{answer.user && (
						<ButtonLink href={`/users/${answer.user.id}`} size="xs" variant="default">
							{t("tryNumber.ringPlan")}
						</ButtonLink>
					)}
				</Group>
			</Alert>
			<Paper withBorder p="md">
				<Title order={2} size="h4" mb="sm">
					{t("tryNumber.decisions")}
				</Title>
				<List spacing="xs" size="sm" center>
					{answer.steps.map((each) => (
						<List.Item key={each.step} icon={each.holds ? <IconYes size={16} color="var(--mantine-color-teal-7)" /> : <IconNo size={16} />}>
							{step(each)}
						</List.Item>
					))}
				</List>
			</Paper>
			{answer.routes.length > 0 && (
				<>
					<Title order={2} size="h4">
						{t("tryNumber.way")}
					</Title>
					<SimpleTable<Way>
						label={t("tryNumber.way")}
						rows={answer.routes}
						keyOf={(way) => way.route_id}
						hrefOf={(way) => `/routes/${way.route_id}`}
						columns={[
							{ id: "pattern", header: t("tryNumber.columns.pattern"), cell: (way) => way.pattern || t("outside.every") },
							{ id: "cost", header: t("tryNumber.columns.cost"), cell: (way) => way.cost, numeric: true },
							{
								id: "trunk",
								header: t("tryNumber.columns.trunk"),
								cell: ({ trunk }) => `${trunk.title} (${trunk.enabled ? t(`tryNumber.services.${trunk.service}`) : t("tryNumber.off")})`,
							},
							{ id: "sent", header: t("tryNumber.columns.sent"), cell: (way) => way.sent, numeric: true },
							{
								id: "shown",
								header: t("tryNumber.columns.shown"),
								cell: (way) => (
									<>
										{way.anonymous ? t("tryNumber.anonymous") : way.caller_number || "–"}
										<Text size="xs" c="dimmed">
											{t(`tryNumber.shownBecause.${way.caller_number_reason}`)}
										</Text>
									</>
								),
							},
							{
								id: "verdict",
								header: t("tryNumber.columns.verdict"),
								cell: (way) => (
									<Badge variant="light" tt="none" color={way.taken ? "petrol" : way.code ? "red" : "gray"} maw="none">
										{verdict(way)}
									</Badge>
								),
							},
						]}
					/>
				</>
			)}
		</Stack>
	);
}

export default function TryNumber() {
	const { t } = useTranslation();
	const [, navigate] = useLocation();
	const asked = new URLSearchParams(useSearch());
	const trunks = useList("trunks", { limit: 1000, sort: "title" });
	const [direction, setDirection] = useState<Direction>(asked.has("from_trunk") ? "in" : "out");
	const [number, setNumber] = useState(asked.get("number") ?? "");
	const [as, setAs] = useState(asked.get("as") ?? "");
	const [trunk, setTrunk] = useState(asked.get("from_trunk") ?? "");
	const [caller, setCaller] = useState(asked.get("caller") ?? "");
	const whole = Boolean(asked.get("number") && (asked.get("as") || asked.get("from_trunk")));
	const { data, error, refetch } = useQuery({
		queryKey: ["routes", "explain", asked.toString()],
		queryFn: async ({ signal }) => (await request<Explanation>("GET", "/routes/explain", { query: Object.fromEntries(asked), signal })).data,
		enabled: whole,
		gcTime: 0,
		retry: false,
	});
	const wrong = (field: string) => (error instanceof Problem ? error.field.find((each) => each.name === field)?.sentence : undefined);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		const next = new URLSearchParams(direction === "out" ? { number, as } : { number, from_trunk: trunk, caller });
		if (next.toString() === asked.toString()) void refetch();
		else navigate(`/numbers/try?${next.toString()}`);
	};
	const named = ["number", "as", "from_trunk", "caller"].some((field) => wrong(field));
	return (
		<>
			<PageHead title={t("tryNumber.title")} text={t("tryNumber.text")} />
			<Stack>
				<Paper withBorder p="md" component="form" onSubmit={submit}>
					<Group align="flex-start" gap="md">
						<SegmentedControl
							aria-label={t("tryNumber.direction")}
							mt={24}
							value={direction}
							onChange={(next) => setDirection(next as Direction)}
							data={(["out", "in"] as const).map((value) => ({ value, label: t(`tryNumber.directions.${value}`) }))}
						/>
						<TextInput
							label={t("tryNumber.number")}
							description={t(direction === "out" ? "tryNumber.numberOutHint" : "tryNumber.numberInHint")}
							inputWrapperOrder={["label", "input", "description", "error"]}
							name="number"
							inputMode="tel"
							maxLength={64}
							required
							autoFocus
							autoComplete="off"
							error={wrong("number")}
							value={number}
							onChange={(event) => setNumber(event.currentTarget.value)}
						/>
						{direction === "out" ? (
							<TextInput
								label={t("tryNumber.as")}
								name="as"
								inputMode="numeric"
								maxLength={15}
								required
								autoComplete="off"
								error={wrong("as")}
								value={as}
								onChange={(event) => setAs(event.currentTarget.value)}
							/>
						) : (
							<>
								<Select
									label={t("tryNumber.trunk")}
									required
									data={(trunks.data?.items ?? []).map((each) => ({ value: each.id, label: each.title ?? "" }))}
									error={wrong("from_trunk")}
									value={trunk || null}
									onChange={(next) => setTrunk(next ?? "")}
								/>
								<TextInput
									label={t("tryNumber.caller")}
									description={t("tryNumber.callerHint")}
									inputWrapperOrder={["label", "input", "description", "error"]}
									name="caller"
									inputMode="tel"
									maxLength={64}
									autoComplete="off"
									error={wrong("caller")}
									value={caller}
									onChange={(event) => setCaller(event.currentTarget.value)}
								/>
							</>
						)}
						<Button type="submit" mt={24}>
							{t("tryNumber.ask")}
						</Button>
					</Group>
				</Paper>
				{error && !named && <Failure error={error} retry={() => void refetch()} />}
				{whole && data && !error && <Answer answer={data} incoming={asked.has("from_trunk")} />}
			</Stack>
		</>
	);
}
