// What is one's own: password, PIN, the codes to dial, and where one is signed in.
import { Badge, Button, Code, Group, PasswordInput, SimpleGrid, Stack, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconOut from "@tabler/icons-react/icons/IconLogout";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useMe, useMeChange, useMySessions, type Me } from "../api/me";
import { useSessionChange } from "../api/session";
import { useConfirm } from "../parts/Confirm";
import { Card } from "../parts/FormPage";
import { PageHead } from "../parts/PageHead";
import { useProblemSentence } from "../parts/problem";
import { SimpleTable } from "../parts/SimpleTable";
import { Failure } from "../parts/States";
import { moment, until, useNow } from "../parts/time";
import { PasswordForm } from "./ChangePassword";

const PIN = /^[0-9]{4,15}$/;

// Says what was done, or why it was not.
function useDoing() {
	const sentence = useProblemSentence();
	return async (work: () => Promise<unknown>, done: string) => {
		try {
			await work();
			notifications.show({ message: done, color: "teal" });
			return true;
		} catch (error) {
			notifications.show({ message: sentence(error), color: "red" });
			return false;
		}
	};
}

function Pin({ me }: { me: Me }) {
	const { t } = useTranslation();
	const { pin: pinSet } = useMeChange();
	const confirm = useConfirm();
	const doing = useDoing();
	const [pin, setPin] = useState("");
	const [tried, setTried] = useState(false);
	const submit = async (event: FormEvent) => {
		event.preventDefault();
		setTried(true);
		if (!PIN.test(pin) || !(await doing(() => pinSet(pin), t("account.pin.saved")))) return;
		setPin("");
		setTried(false);
	};
	const remove = async () => {
		if (await confirm({ title: t("account.pin.removeTitle"), consequences: [t("account.pin.removeText")], button: t("account.pin.remove") }))
			await doing(() => pinSet(""), t("account.pin.removed"));
	};
	return (
		<Card title={t("account.pin.title")} text={t("account.pin.text")}>
			<form onSubmit={(event) => void submit(event)} noValidate aria-label={t("account.pin.title")}>
				<Stack>
					<Text size="sm">{t(me.has_pin ? "account.pin.set" : "account.pin.none")}</Text>
					<PasswordInput
						label={t("account.pin.label")}
						description={t("account.pin.hint")}
						error={tried && !PIN.test(pin) && t("account.pin.wrong")}
						inputMode="numeric"
						autoComplete="off"
						maxLength={15}
						value={pin}
						onChange={(event) => setPin(event.currentTarget.value)}
					/>
					<Group gap="xs">
						<Button type="submit">{t("account.pin.save")}</Button>
						{me.has_pin && (
							<Button variant="default" onClick={() => void remove()}>
								{t("account.pin.remove")}
							</Button>
						)}
					</Group>
				</Stack>
			</form>
		</Card>
	);
}

function Codes({ me }: { me: Me }) {
	const { t } = useTranslation();
	const behind: Partial<Record<keyof Me["feature_codes"], string>> = {
		pick_up: t("account.codes.extension"),
		select_device: `${t("account.codes.extension")} * ${t("account.codes.pin")}`,
	};
	const codes = (Object.keys(me.feature_codes) as (keyof Me["feature_codes"])[]).filter((each) => me.feature_codes[each]);
	if (codes.length === 0) return null;
	return (
		<Card title={t("account.codes.title")} text={t("account.codes.text")}>
			<Table variant="vertical" layout="auto">
				<Table.Tbody>
					{codes.map((each) => (
						<Table.Tr key={each}>
							<Table.Th fw={400}>{t(`account.codes.${each}`)}</Table.Th>
							<Table.Td>
								<Code>{me.feature_codes[each]}</Code> {behind[each]}
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
		</Card>
	);
}

function Sessions() {
	const { t } = useTranslation();
	const now = useNow(10_000);
	const { data, error, refetch } = useMySessions();
	const { sessionEnd } = useMeChange();
	const { signOutEverywhere } = useSessionChange();
	const confirm = useConfirm();
	const doing = useDoing();
	const everywhere = async () => {
		const consequences = [t("account.sessions.allHere"), t("account.sessions.allDevice"), t("account.sessions.allCalls")];
		if (await confirm({ title: t("account.sessions.allTitle"), consequences, button: t("account.sessions.all") }))
			await doing(signOutEverywhere, t("shell.signedOut"));
	};
	return (
		<Card
			title={t("account.sessions.title")}
			text={t("account.sessions.text")}
			aside={
				<Button variant="default" leftSection={<IconOut size={16} />} onClick={() => void everywhere()}>
					{t("account.sessions.all")}
				</Button>
			}
		>
			{error && <Failure error={error} retry={() => void refetch()} />}
			<SimpleTable
				label={t("account.sessions.title")}
				rows={data}
				keyOf={(row) => row.id}
				columns={[
					{
						id: "client",
						header: t("account.sessions.client"),
						cell: (row) => (
							<Text size="sm" lineClamp={2} maw={480}>
								{row.client || "–"}
							</Text>
						),
					},
					{ id: "since", header: t("account.sessions.since"), numeric: true, cell: (row) => moment(row.created_at) },
					{ id: "ends", header: t("account.sessions.ends"), cell: (row) => (row.expires_at ? until(row.expires_at, now) : t("signIns.never")) },
					{
						id: "actions",
						header: t("lists.actions"),
						cell: (row) =>
							row.current ? (
								<Badge variant="light" tt="none">
									{t("account.sessions.here")}
								</Badge>
							) : (
								<Button size="xs" variant="default" onClick={() => void doing(() => sessionEnd(row.id), t("account.sessions.ended"))}>
									{t("account.sessions.end")}
								</Button>
							),
					},
				]}
			/>
		</Card>
	);
}

export default function Account() {
	const { t } = useTranslation();
	const { data: me, error, refetch } = useMe();
	if (error && !me) return <Failure error={error} retry={() => void refetch()} />;
	if (!me) return null;
	return (
		<>
			<PageHead
				title={t("account.title")}
				text={t("account.text", { name: me.user.title || (me.user.name ?? ""), extension: me.user.extension ?? "" })}
			/>
			<Stack gap="md">
				<SimpleGrid cols={{ base: 1, md: 2 }}>
					<Card title={t("account.password")} text={t("shell.password.own")}>
						<PasswordForm />
					</Card>
					<Stack gap="md">
						<Pin me={me} />
						<Codes me={me} />
					</Stack>
				</SimpleGrid>
				<Sessions />
			</Stack>
		</>
	);
}
