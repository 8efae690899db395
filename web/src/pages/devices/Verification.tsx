// Whether an external number is known to belong to who has it, and an administrator's word for it.
import { Badge, Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconChecked from "@tabler/icons-react/icons/IconShieldCheck";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import i18next from "i18next";
import { request } from "../../api/client";
import { refresh, type Device } from "../../api/resources";
import { useMayWrite } from "../../api/session";
import { Card } from "../../parts/FormPage";
import { useProblemSentence } from "../../parts/problem";

export function VerifiedBadge({ device }: { device: Device }) {
	const { t } = useTranslation();
	const verified = device.verified_how !== "not";
	return (
		<Badge variant="light" tt="none" color={verified ? "teal" : "gray"}>
			{t(verified ? "devices.verified" : "devices.notVerified")}
		</Badge>
	);
}

export function VerificationCard({ device, written }: { device: Device; written: (etag: string | null) => void }) {
	const { t } = useTranslation();
	const client = useQueryClient();
	const mayWrite = useMayWrite();
	const sentence = useProblemSentence();
	const [busy, setBusy] = useState(false);
	const verified = device.verified_how !== "not";

	const write = async () => {
		setBusy(true);
		try {
			const path = `/devices/${device.id}/verification` as const;
			const { etag } = verified ? await request<Device>("DELETE", path) : await request<Device>("POST", path, { body: {} });
			written(etag);
			await refresh(client, "devices");
		} catch (error) {
			notifications.show({ message: sentence(error), color: "red" });
		} finally {
			setBusy(false);
		}
	};
	const at = device.verified_at ? new Intl.DateTimeFormat(i18next.language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(device.verified_at)) : "";
	return (
		<Card title={t("devices.verification")} text={t("devices.verificationText")}>
			<Group justify="space-between" gap="sm">
				<Group gap="sm">
					<VerifiedBadge device={device} />
					{verified && <Text size="sm">{t("devices.verifiedBy", { by: device.verified_by, at })}</Text>}
				</Group>
				{mayWrite && (
					<Button variant="default" loading={busy} leftSection={<IconChecked size={18} />} onClick={() => void write()}>
						{t(verified ? "devices.unverify" : "devices.verify")}
					</Button>
				)}
			</Group>
		</Card>
	);
}
