// Form fields that belong to an Editor by their name: value, error and lock come from there.
import { Group, NumberInput, Select, Switch, Text, TextInput, Textarea, Tooltip } from "@mantine/core";
import IconLock from "@tabler/icons-react/icons/IconLock";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Editor } from "./useEditor";

type NamesOf<V, T> = { [K in keyof V]-?: V[K] extends T ? K : never }[keyof V] & string;

interface FieldProps<V, T> {
	form: Editor<V>;
	name: NamesOf<V, T>;
	label: string;
	hint?: ReactNode;
	required?: boolean;
	lock?: string | false | undefined; // why it cannot be changed now
}

function useField<V, T>({ form, name, label, hint, required, lock }: FieldProps<V, T>) {
	const { t } = useTranslation();
	const locked = form.locked || Boolean(lock);
	return {
		locked,
		value: form.value[name] as T,
		set: (value: T) => form.set(name, value as V[typeof name]),
		shared: {
			name,
			label,
			required: required && !locked,
			withAsterisk: required && !locked,
			error: form.errors[name],
			description: lock ? <Lock why={lock} /> : hint,
			inputWrapperOrder: ["label", "input", "description", "error"] as ("label" | "input" | "description" | "error")[],
		},
		t,
	};
}

function Lock({ why }: { why: string }) {
	return (
		<Group gap={4} wrap="nowrap" component="span" align="flex-start">
			<IconLock size={14} aria-hidden style={{ flex: "none", marginTop: 1 }} />
			<span>{why}</span>
		</Group>
	);
}

export function TextField<V>(
	props: FieldProps<V, string> & { max: number; lines?: number; mode?: "tel" | "text"; placeholder?: string; auto?: boolean },
) {
	const { shared, value, set, locked } = useField(props);
	const more = {
		...shared,
		value: value ?? "",
		maxLength: props.max,
		readOnly: locked,
		"data-locked": locked || undefined,
		variant: locked ? "filled" : "default",
		placeholder: props.placeholder,
		autoComplete: "off",
		"data-autofocus": props.auto || undefined,
		autoFocus: props.auto,
	} as const;
	if (props.lines)
		return <Textarea {...more} autosize minRows={props.lines} maxRows={8} onChange={(event) => set(event.currentTarget.value)} />;
	return <TextInput {...more} inputMode={props.mode} onChange={(event) => set(event.currentTarget.value)} />;
}

export function NumberField<V>(props: FieldProps<V, number> & { min: number; max: number; step?: number; suffix?: string }) {
	const { shared, value, set, locked } = useField(props);
	return (
		<NumberInput
			{...shared}
			value={value}
			min={props.min}
			max={props.max}
			step={props.step ?? 1}
			suffix={props.suffix}
			allowDecimal={false}
			clampBehavior="blur"
			readOnly={locked}
			variant={locked ? "filled" : "default"}
			onChange={(next) => typeof next === "number" && set(next)}
		/>
	);
}

// An empty field is left open, and says what counts then.
export function OpenNumberField<V>(
	props: FieldProps<V, number | null> & { min: number; max: number; step?: number; suffix?: string; open: string },
) {
	const { shared, value, set, locked } = useField(props);
	return (
		<NumberInput
			{...shared}
			value={value ?? ""}
			placeholder={props.open}
			min={props.min}
			max={props.max}
			step={props.step ?? 1}
			suffix={props.suffix}
			allowDecimal={false}
			clampBehavior="blur"
			readOnly={locked}
			variant={locked ? "filled" : "default"}
			onChange={(next) => set(typeof next === "number" ? next : null)}
		/>
	);
}

export function ChoiceField<V, T extends string>(
	props: Omit<FieldProps<V, T>, "name"> & { name: keyof V & string; options: readonly { value: T; label: string }[]; searchable?: boolean },
) {
	const { shared, value, set, locked } = useField(props as unknown as FieldProps<V, string>);
	return (
		<Select
			{...shared}
			data={[...props.options]}
			value={value}
			allowDeselect={false}
			searchable={props.searchable}
			readOnly={locked}
			variant={locked ? "filled" : "default"}
			onChange={(next) => next !== null && set(next)}
		/>
	);
}

export function SwitchField<V>(props: FieldProps<V, boolean>) {
	const { shared, value, set, locked } = useField(props);
	return (
		<Switch
			name={shared.name}
			label={shared.label}
			description={shared.description}
			error={shared.error}
			checked={value}
			disabled={locked}
			onChange={(event) => set(event.currentTarget.checked)}
		/>
	);
}

// A small explanation at a word.
export function Hint({ text, children }: { text: string; children: ReactNode }) {
	return (
		<Tooltip label={text} multiline maw={320}>
			<Text span inherit tabIndex={0} td="underline dotted">
				{children}
			</Text>
		</Tooltip>
	);
}
