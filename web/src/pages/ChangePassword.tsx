// One's own password: asked for at the first sign-in, and whenever somebody wants.
import { Alert, Button, Center, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useSessionChange, useSignedIn } from "../api/session";
import { Logo } from "../parts/Logo";
import { useProblemSentence } from "../parts/problem";

const LENGTH_MIN = 12;

export function PasswordForm({ due = false }: { due?: boolean }) {
	const { t } = useTranslation();
	const { changePassword, signOut } = useSessionChange();
	const session = useSignedIn();
	const sentence = useProblemSentence();
	const [value, setValue] = useState({ old: "", new: "", again: "" });
	const [refused, setRefused] = useState<string | null>(null);
	const [tried, setTried] = useState(false);
	const [busy, setBusy] = useState(false);
	const short = [...value.new].length < LENGTH_MIN;
	const differs = value.new !== value.again;

	const submit = async (event: FormEvent) => {
		event.preventDefault();
		setTried(true);
		if (short || differs) return;
		setBusy(true);
		try {
			await changePassword(value.old, value.new);
			notifications.show({ message: t("shell.password.done"), color: "teal" });
			setValue({ old: "", new: "", again: "" });
			setRefused(null);
			setTried(false);
			setBusy(false);
		} catch (error) {
			setRefused(sentence(error));
			setBusy(false);
		}
	};
	const field = (name: "old" | "new" | "again", error: string | false, hint?: string) => (
		<PasswordInput
			label={t(`shell.password.${name}`)}
			description={hint}
			error={tried && error}
			autoComplete={name === "old" ? "current-password" : "new-password"}
			autoFocus={due && name === "old"}
			maxLength={256}
			required
			withAsterisk={false}
			value={value[name]}
			onChange={(event) => {
				const text = event.currentTarget.value;
				setValue((before) => ({ ...before, [name]: text }));
			}}
		/>
	);
	return (
		<form onSubmit={(event) => void submit(event)} noValidate aria-label={t("shell.password.title")}>
			<Stack>
				<input type="hidden" name="username" autoComplete="username" value={session.user.name ?? ""} readOnly />
				{refused && (
					<Alert color="red" variant="light" role="alert">
						{refused}
					</Alert>
				)}
				{field("old", false)}
				{field("new", short && t("shell.password.short"), t("shell.password.hint"))}
				{field("again", differs && t("shell.password.differs"))}
				<Button type="submit" loading={busy}>
					{t("shell.password.button")}
				</Button>
				{due && (
					<Button variant="subtle" onClick={() => void signOut()}>
						{t("shell.signOut")}
					</Button>
				)}
			</Stack>
		</form>
	);
}

// Instead of every other page, until it is done.
export function ChangePassword() {
	const { t } = useTranslation();
	useDocumentTitle(`${t("shell.password.title")} · Carillon`);
	return (
		<Center mih="100vh" p="md">
			<Stack w={420} maw="100%" gap="lg" component="main">
				<Stack gap={6}>
					<Logo size={44} />
					<Title order={1} size="h2">
						{t("shell.password.title")}
					</Title>
					<Text c="dimmed">{t("shell.password.due")}</Text>
				</Stack>
				<div className="card">
					<PasswordForm due />
				</div>
			</Stack>
		</Center>
	);
}
