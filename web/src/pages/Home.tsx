// An agent's own page: whether calls reach them, on which devices, and the calls they are in now.
import { Group, SimpleGrid, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import IconAway from "@tabler/icons-react/icons/IconPlugConnectedX";
import IconPhone from "@tabler/icons-react/icons/IconPhone";
import { useTranslation } from "react-i18next";
import { useCalls } from "../api/events";
import { useMe } from "../api/me";
import { PageHead } from "../parts/PageHead";
import { Failure, Message } from "../parts/States";
import { CallCard } from "./realtime/Calls";

export default function Home() {
	const { t } = useTranslation();
	const { data: me, error, refetch } = useMe();
	const { data: calls = [] } = useCalls(false);
	if (error && !me) return <Failure error={error} retry={() => void refetch()} />;
	if (!me) return null;
	return (
		<>
			<PageHead title={t("agent.hello", { name: me.user.title || (me.user.name ?? "") })} text={t("shell.extension", { extension: me.user.extension ?? "" })} />
			<Stack gap="md">
				<section className="card" aria-labelledby="my-devices">
					<Title order={2} size="h4" id="my-devices" mb="sm">
						{t("agent.myDevices")}
					</Title>
					{me.devices.length === 0 ? (
						<Message title={t("agent.noDevice")} text={me.may_select ? t("agent.noDeviceSelect") : t("agent.noDeviceAsk")} icon={<IconAway size={32} />} />
					) : (
						<SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
							{me.devices.map((device) => {
								const reached = device.registered || device.kind === "external" || device.kind === "teams";
								return (
									<Group key={device.id} gap="sm" wrap="nowrap">
										<ThemeIcon variant="light" color={reached ? "teal" : "gray"} size={38} radius="xl">
											{reached ? <IconPhone size={20} /> : <IconAway size={20} />}
										</ThemeIcon>
										<div>
											<Text fw={600}>{device.title || device.number}</Text>
											<Text size="sm" c="dimmed">
												{device.kind === "external" ? t("agent.outside") : device.registered ? t("agent.registered") : t("agent.away")}
											</Text>
										</div>
									</Group>
								);
							})}
						</SimpleGrid>
					)}
				</section>
				<Title order={2} size="h4">
					{t("agent.myCalls")}
				</Title>
				{calls.length === 0 ? <Text c="dimmed">{t("agent.noCalls")}</Text> : calls.map((call) => <CallCard key={call.id} call={call} />)}
			</Stack>
		</>
	);
}
