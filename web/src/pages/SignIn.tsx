// The first page anybody sees.
import { Alert, Button, Center, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { useSessionChange } from "../api/session";
import { Choices } from "../parts/Choices";
import { Logo } from "../parts/Logo";
import { useProblemSentence } from "../parts/problem";

export function SignIn() {
	const { t } = useTranslation();
	const { signIn } = useSessionChange();
	const sentence = useProblemSentence();
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [refused, setRefused] = useState<string | null>(null);
	useDocumentTitle(`${t("shell.signIn.title")} · Carillon`);

	const submit = async (event: FormEvent) => {
		event.preventDefault();
		if (!name || !password) return setRefused(t("shell.signIn.mandatory"));
		setBusy(true);
		setRefused(null);
		try {
			await signIn(name, password);
		} catch (error) {
			setPassword("");
			setRefused(error instanceof Problem && error.code === "wrong_credentials" ? t("problems.wrong_credentials") : sentence(error));
			setBusy(false);
		}
	};
	return (
		<Center mih="100vh" p="md">
			<Stack w={380} maw="100%" gap="lg" component="main">
				<Stack gap={6} align="center">
					<Logo size={52} />
					<Title order={1} size="h2">
						{t("shell.name")}
					</Title>
					<Text c="dimmed">{t("shell.motto")}</Text>
				</Stack>
				<form className="card" onSubmit={(event) => void submit(event)} noValidate aria-label={t("shell.signIn.title")}>
					<Stack>
						{refused && (
							<Alert color="red" variant="light" role="alert">
								{refused}
							</Alert>
						)}
						<TextInput
							label={t("shell.signIn.name")}
							name="username"
							autoComplete="username"
							autoCapitalize="none"
							spellCheck={false}
							autoFocus
							maxLength={64}
							value={name}
							onChange={(event) => setName(event.currentTarget.value)}
						/>
						<PasswordInput
							label={t("shell.signIn.password")}
							name="password"
							autoComplete="current-password"
							maxLength={256}
							value={password}
							onChange={(event) => setPassword(event.currentTarget.value)}
						/>
						<Button type="submit" loading={busy} fullWidth>
							{t("shell.signIn.button")}
						</Button>
					</Stack>
				</form>
				<Text c="dimmed" size="sm" ta="center">
					{t("shell.signIn.first")}
				</Text>
				<Center>
					<Choices />
				</Center>
			</Stack>
		</Center>
	);
}
