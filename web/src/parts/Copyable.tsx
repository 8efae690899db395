// A value to be copied by a click: a password that is shown once, a setting for a phone.
import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import IconCheck from "@tabler/icons-react/icons/IconCheck";
import IconCopy from "@tabler/icons-react/icons/IconCopy";
import { useTranslation } from "react-i18next";
import classes from "./Copyable.module.css";

export function Copyable({ label, value, secret = false }: { label: string; value: string; secret?: boolean }) {
	const { t } = useTranslation();
	return (
		<Group className={classes.row} wrap="nowrap" gap="xs">
			<Text size="sm" c="dimmed" className={classes.label}>
				{label}
			</Text>
			<Text size="sm" className={classes.value} data-secret={secret || undefined}>
				{value}
			</Text>
			<CopyButton value={value}>
				{({ copied, copy }) => (
					<Tooltip label={t(copied ? "lists.copied" : "lists.copy")}>
						<ActionIcon
							variant="subtle"
							color={copied ? "teal" : "gray"}
							onClick={copy}
							aria-label={`${t(copied ? "lists.copied" : "lists.copy")}: ${label}`}
						>
							{copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
						</ActionIcon>
					</Tooltip>
				)}
			</CopyButton>
		</Group>
	);
}
