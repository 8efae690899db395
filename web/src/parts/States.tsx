// What a page shows instead of its content: nothing there yet, not there any more, not to be had now.
import { Alert, Button, Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import IconAlert from "@tabler/icons-react/icons/IconAlertTriangle";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useProblemSentence } from "./problem";

interface MessageProps {
	title: string;
	text?: ReactNode;
	icon?: ReactNode;
	children?: ReactNode;
}

export function Message({ title, text, icon, children }: MessageProps) {
	return (
		<Stack align="center" gap="sm" py={64} px="md" ta="center">
			{icon && (
				<ThemeIcon size={64} radius="xl" variant="light" aria-hidden>
					{icon}
				</ThemeIcon>
			)}
			<Title order={2} size="h3">
				{title}
			</Title>
			{text && (
				<Text c="dimmed" maw={520} component="div">
					{text}
				</Text>
			)}
			{children && (
				<Group mt="xs" justify="center">
					{children}
				</Group>
			)}
		</Stack>
	);
}

export function Failure({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	return (
		<Alert color="red" variant="light" icon={<IconAlert />} title={title ?? t("lists.failed")} role="alert" my="md">
			<Text size="sm">{sentence(error)}</Text>
			{retry && (
				<Button mt="sm" size="xs" variant="default" onClick={retry}>
					{t("lists.again")}
				</Button>
			)}
		</Alert>
	);
}
