// A password that is shown once, with what to type into which field of common phones, and as a QR code.
import { Alert, Group, Stack, Tabs, Text } from "@mantine/core";
import IconOnce from "@tabler/icons-react/icons/IconEyeExclamation";
import encodeQR from "qr";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Device } from "../../api/resources";
import { Copyable } from "../../parts/Copyable";

// Where phones find this server: the machine that the console came from.
function serverName(): string {
	return location.hostname;
}

function xml(text: string): string {
	return text.replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

// What Grandstream Wave reads (Settings → Account settings → scan QR code).
function accountXml(device: Device, password: string): string {
	const account = {
		RegisterServer: serverName(),
		OutboundServer: "",
		UserID: device.number,
		AuthID: device.number,
		AuthPass: password,
		AccountName: device.title || device.number,
		DisplayName: device.title || device.number,
	};
	const fields = Object.entries(account).map(([name, value]) => `<${name}>${xml(value)}</${name}>`);
	return `<?xml version="1.0" encoding="utf-8"?><AccountConfig version="1"><Account>${fields.join("")}</Account></AccountConfig>`;
}

function Qr({ text, label }: { text: string; label: string }) {
	const { path, size } = useMemo(() => {
		const dots = encodeQR(text, "raw", { ecc: "medium", border: 2 });
		return {
			size: dots.length,
			path: dots.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join(""),
		};
	}, [text]);
	return (
		<svg viewBox={`0 0 ${size} ${size}`} width={220} height={220} role="img" aria-label={label} shapeRendering="crispEdges">
			<rect width={size} height={size} fill="#fff" />
			<path d={path} fill="#000" />
		</svg>
	);
}

// The names of the fields as the phones' own pages have them.
const phones = {
	Yealink: { server: "SIP Server 1 → Server Host", user: "User Name", login: "Register Name", password: "Password" },
	Snom: { server: "Registrar", user: "Account", login: "Authentication Username", password: "Password" },
	Grandstream: { server: "Primary SIP Server", user: "SIP User ID", login: "Authenticate ID", password: "Authenticate Password" },
	Linphone: { server: "Domain", user: "Username", login: "", password: "Password" },
	Zoiper: { server: "Domain", user: "Username", login: "Authentication username", password: "Password" },
	MicroSIP: { server: "SIP server", user: "Username", login: "Login", password: "Password" },
} as const;

export function Credentials({ device, password }: { device: Device; password: string }) {
	const { t } = useTranslation();
	const browser = device.kind === "webrtc";
	return (
		<Stack>
			<Alert color="orange" variant="light" icon={<IconOnce />}>
				{t("devices.made.once")}
			</Alert>
			<Stack gap={6}>
				<Copyable label={t("devices.made.server")} value={serverName()} />
				<Copyable label={t("devices.made.user")} value={device.number} />
				<Copyable label={t("devices.made.password")} value={password} secret />
			</Stack>
			{!browser && (
				<Tabs defaultValue="qr" keepMounted={false}>
					<Tabs.List>
						<Tabs.Tab value="qr">{t("devices.made.qr")}</Tabs.Tab>
						{Object.keys(phones).map((name) => (
							<Tabs.Tab key={name} value={name}>
								{name}
							</Tabs.Tab>
						))}
					</Tabs.List>
					<Tabs.Panel value="qr" pt="md">
						<Group align="flex-start">
							<Qr text={accountXml(device, password)} label={t("devices.made.qrLabel")} />
							<Text size="sm" flex={1} miw={180}>
								{t("devices.made.qrText")}
							</Text>
						</Group>
					</Tabs.Panel>
					{Object.entries(phones).map(([name, fields]) => (
						<Tabs.Panel key={name} value={name} pt="md">
							<Stack gap={6}>
								<Copyable label={fields.server} value={serverName()} />
								<Copyable label={fields.user} value={device.number} />
								{fields.login && <Copyable label={fields.login} value={device.number} />}
								<Copyable label={fields.password} value={password} secret />
							</Stack>
						</Tabs.Panel>
					))}
				</Tabs>
			)}
		</Stack>
	);
}
