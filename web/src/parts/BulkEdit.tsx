// Changes many entries at once: only the fields that are ticked, and all entries or none.
import { Alert, Button, Checkbox, Group, Modal, NumberInput, Select, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { request } from "../api/client";
import { useRefresh } from "../api/resources";
import { useProblemSentence } from "./problem";

export interface BulkField {
	name: string;
	label: string;
	first: unknown; // what it is set to until something else is chosen
	input: (value: unknown, set: (value: unknown) => void) => ReactNode;
}

interface BulkEditProps {
	resource: "users" | "devices";
	ids: string[];
	title: string;
	fields: BulkField[];
	close: (done: boolean) => void;
}

// For a list: the action, and the dialog while it is open.
export function useBulkEdit(resource: "users" | "devices", title: (count: number) => string, fields: BulkField[]) {
	const { t } = useTranslation();
	const [open, setOpen] = useState<{ ids: string[]; close: (done: boolean) => void } | null>(null);
	return {
		action: {
			label: t("users.bulk.edit"),
			run: (rows: { id: string }[]) =>
				new Promise<boolean>((resolve) => {
					const close = (done: boolean) => {
						setOpen(null);
						resolve(done);
					};
					setOpen({ ids: rows.map((row) => row.id), close });
				}),
		},
		dialog: open && <BulkEdit resource={resource} ids={open.ids} title={title(open.ids.length)} fields={fields} close={open.close} />,
	};
}

export function choiceField(name: string, label: string, options: { value: string; label: string }[], read: (value: string) => unknown = (value) => value): BulkField {
	const [first] = options;
	return {
		name,
		label,
		first: read(first?.value ?? ""),
		input: (value, set) => (
			<Select aria-label={label} data={options} value={String(value)} allowDeselect={false} onChange={(next) => next !== null && set(read(next))} />
		),
	};
}

export function switchField(name: string, label: string, yes: string, no: string): BulkField {
	return choiceField(name, label, [{ value: "true", label: yes }, { value: "false", label: no }], (value) => value === "true");
}

export function countField(name: string, label: string, max: number): BulkField {
	return {
		name,
		label,
		first: 1,
		input: (value, set) => (
			<NumberInput aria-label={label} value={value as number} min={0} max={max} allowDecimal={false} onChange={(next) => typeof next === "number" && set(next)} />
		),
	};
}

function BulkEdit({ resource, ids, title, fields, close }: BulkEditProps) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const refresh = useRefresh();
	const [change, setChange] = useState<Record<string, unknown>>({});
	const [busy, setBusy] = useState(false);
	const [refused, setRefused] = useState<string | null>(null);
	const tick = (field: BulkField, on: boolean) => {
		const { [field.name]: _, ...rest } = change;
		setChange(on ? { ...rest, [field.name]: field.first } : rest);
	};
	const apply = async () => {
		setBusy(true);
		setRefused(null);
		try {
			const { data } = await request<{ count: number }>("POST", `/${resource}/bulk`, { body: { ids, change } });
			await refresh(resource);
			notifications.show({ message: t("lists.bulkDone", { count: data.count }), color: "teal" });
			close(true);
		} catch (error) {
			setRefused(sentence(error));
			setBusy(false);
		}
	};
	return (
		<Modal opened onClose={() => close(false)} title={<Text fw={650}>{title}</Text>}>
			<Stack>
				<Text size="sm" c="dimmed">
					{t("users.bulk.text")}
				</Text>
				{refused && (
					<Alert color="red" variant="light" role="alert">
						{refused}
					</Alert>
				)}
				{fields.map((field) => (
					<Stack key={field.name} gap={6}>
						<Checkbox label={field.label} checked={field.name in change} onChange={(event) => tick(field, event.currentTarget.checked)} />
						{field.name in change && field.input(change[field.name], (value) => setChange({ ...change, [field.name]: value }))}
					</Stack>
				))}
				<Group justify="flex-end">
					<Button variant="default" onClick={() => close(false)}>
						{t("forms.cancel")}
					</Button>
					<Button loading={busy} disabled={Object.keys(change).length === 0} onClick={() => void apply()}>
						{t("users.bulk.apply")}
					</Button>
				</Group>
			</Stack>
		</Modal>
	);
}
