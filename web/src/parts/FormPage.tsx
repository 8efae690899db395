// The page of one entry: back to its list, its fields, and at the bottom what saves them. Somebody else's change is shown
// before anything is overwritten.
import { Alert, Anchor, Button, Group, Stack, Table, Text } from "@mantine/core";
import IconBack from "@tabler/icons-react/icons/IconArrowLeft";
import IconConflict from "@tabler/icons-react/icons/IconArrowsSplit2";
import { useEffect, useRef, type FormEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { ButtonLink } from "./ButtonLink";
import classes from "./FormPage.module.css";
import { PageHead } from "./PageHead";
import { same, type Editor } from "./useEditor";

interface FormPageProps {
	title: string;
	text?: ReactNode;
	list: { href: string; label: string };
	form: Pick<Editor<object>, "dirty" | "busy" | "refused" | "locked" | "errors">;
	isNew: boolean;
	save: () => Promise<unknown>;
	conflict?: ReactNode;
	actions?: ReactNode;
	children: ReactNode;
}

export function FormPage({ title, text, list, form, isNew, save, conflict, actions, children }: FormPageProps) {
	const { t } = useTranslation();
	const element = useRef<HTMLFormElement>(null);
	const wrong = Object.values(form.errors).some(Boolean);
	useEffect(() => {
		// Whoever cannot see where it is red is taken there.
		if (wrong) element.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-error=true]")?.focus();
	}, [wrong]);
	const submit = (event: FormEvent) => {
		event.preventDefault();
		void save();
	};
	return (
		<form ref={element} onSubmit={submit} noValidate aria-label={title}>
			<PageHead
				title={title}
				text={text}
				above={
					<Anchor component={Link} href={list.href} size="sm" className={classes.back}>
						<IconBack size={16} /> {list.label}
					</Anchor>
				}
			>
				{actions}
			</PageHead>
			<Stack gap="md">
				{form.locked && (
					<Alert variant="light" color="gray">
						{t("forms.readOnly")}
					</Alert>
				)}
				{conflict}
				{form.refused && (
					<Alert color="red" variant="light" role="alert">
						{form.refused}
					</Alert>
				)}
				{children}
			</Stack>
			{!form.locked && (
				<Group className={classes.bar} justify="flex-end">
					<Text size="sm" c="dimmed" aria-live="polite" flex={1}>
						{!isNew && form.dirty && t("forms.dirty")}
					</Text>
					<ButtonLink href={list.href} variant="default">
						{t("forms.cancel")}
					</ButtonLink>
					<Button type="submit" loading={form.busy} disabled={!isNew && !form.dirty}>
						{t(isNew ? "forms.create" : "forms.save")}
					</Button>
				</Group>
			)}
		</form>
	);
}

export function Card({ title, text, children, aside }: { title?: string; text?: ReactNode; children: ReactNode; aside?: ReactNode }) {
	return (
		<section className="card">
			{title && (
				<Group justify="space-between" align="flex-start" mb="md" gap="sm">
					<Stack gap={2} flex={1} miw={200}>
						<h2 className={classes.cardTitle}>{title}</h2>
						{text && (
							<Text size="sm" c="dimmed" maw={680} component="div">
								{text}
							</Text>
						)}
					</Stack>
					{aside}
				</Group>
			)}
			{children}
		</section>
	);
}

export function Fields({ children }: { children: ReactNode }) {
	return <div className={classes.fields}>{children}</div>;
}

interface ConflictProps<V> {
	form: Editor<V>;
	theirs: V | null;
	labels: Partial<Record<keyof V & string, string>>;
	show?: (name: keyof V & string, value: unknown) => string;
	keepMine: () => void;
}

export function Conflict<V extends object>({ form, theirs, labels, show, keepMine }: ConflictProps<V>) {
	const { t } = useTranslation();
	if (!form.stale || !theirs) return null;
	const text = (name: keyof V & string, value: unknown) =>
		show?.(name, value) ?? (typeof value === "boolean" ? t(value ? "lists.yes" : "lists.no") : String(value ?? "–") || "–");
	const rows = (Object.keys(labels) as (keyof V & string)[]).filter((name) => !same(theirs[name], form.base[name]));
	return (
		<Alert variant="light" color="orange" role="alert" icon={<IconConflict />} title={t("forms.conflict.title")}>
			<Stack gap="sm">
				<Text size="sm">{rows.length ? t("forms.conflict.text") : t("forms.conflict.same")}</Text>
				{rows.length > 0 && (
					<Table.ScrollContainer minWidth={420} type="native">
						<Table verticalSpacing={4}>
							<Table.Thead>
								<Table.Tr>
									<Table.Th>{t("forms.conflict.field")}</Table.Th>
									<Table.Th>{t("forms.conflict.before")}</Table.Th>
									<Table.Th>{t("forms.conflict.theirs")}</Table.Th>
									<Table.Th>{t("forms.conflict.mine")}</Table.Th>
								</Table.Tr>
							</Table.Thead>
							<Table.Tbody>
								{rows.map((name) => (
									<Table.Tr key={name}>
										<Table.Td>{labels[name]}</Table.Td>
										<Table.Td>{text(name, form.base[name])}</Table.Td>
										<Table.Td fw={600}>{text(name, theirs[name])}</Table.Td>
										<Table.Td>{text(name, form.value[name])}</Table.Td>
									</Table.Tr>
								))}
							</Table.Tbody>
						</Table>
					</Table.ScrollContainer>
				)}
				<Group gap="xs">
					<Button size="xs" variant="default" onClick={() => form.reset(theirs)}>
						{t("forms.conflict.takeTheirs")}
					</Button>
					<Button size="xs" onClick={keepMine}>
						{t("forms.conflict.keepMine")}
					</Button>
				</Group>
			</Stack>
		</Alert>
	);
}
