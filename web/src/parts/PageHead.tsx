// The head of a page: what it is, a sentence about it, and what can be done here at the top right.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface PageHeadProps {
	title: string;
	text?: ReactNode;
	above?: ReactNode;
	children?: ReactNode;
}

export function PageHead({ title, text, above, children }: PageHeadProps) {
	useDocumentTitle(`${title} · Carillon`);
	return (
		<Stack gap={4} mb="lg">
			{above}
			<Group justify="space-between" align="flex-start" gap="sm">
				<Stack gap={4} flex={1} miw={220}>
					<Title order={1} size="h2">
						{title}
					</Title>
					{text && (
						<Text c="dimmed" size="sm" maw={720} component="div">
							{text}
						</Text>
					)}
				</Stack>
				{children && <Group gap="xs">{children}</Group>}
			</Group>
		</Stack>
	);
}
