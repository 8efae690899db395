// The media relays, on the overview: which answer, and what is on them. Without any there is nothing to show.
import { Badge, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { SimpleTable } from "../parts/SimpleTable";
import { moment } from "../parts/time";

type Relay = Schemas["Status"]["media_relays"][number];

function RelayState({ relay }: { relay: Relay }) {
	const { t } = useTranslation();
	if (relay.up) return <Badge variant="light" color="teal">{t("status.relays.up")}</Badge>;
	return relay.since ? <Badge color="red">{t("status.relays.down")}</Badge> : <Badge variant="light" color="gray">{t("status.relays.unknown")}</Badge>;
}

export function MediaRelays({ relays }: { relays: Relay[] }) {
	const { t } = useTranslation();
	if (relays.length === 0) return null;
	return (
		<section className="card" aria-labelledby="media-relays">
			<Title order={2} size="h4" id="media-relays" mb="sm">
				{t("status.relays.title")}
			</Title>
			<SimpleTable<Relay>
				label={t("status.relays.title")}
				rows={relays}
				keyOf={(relay) => relay.name}
				columns={[
					{ id: "name", header: t("status.relays.name"), cell: (relay) => relay.name },
					{ id: "address", header: t("status.relays.address"), numeric: true, cell: (relay) => relay.address },
					{ id: "state", header: t("status.relays.state"), cell: (relay) => <RelayState relay={relay} /> },
					{ id: "since", header: t("status.relays.since"), cell: (relay) => (relay.since ? moment(relay.since) : "–") },
					{ id: "sessions", header: t("status.relays.sessions"), numeric: true, cell: (relay) => relay.sessions },
					{ id: "latency", header: t("status.relays.latency"), numeric: true, cell: (relay) => (relay.latency_us === null ? "–" : `${(relay.latency_us / 1000).toFixed(1)} ms`) },
				]}
			/>
		</section>
	);
}
