// A form's values: what they were, what they are, what the server said of them.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { problemSentence, useProblemSentence } from "./problem";
import { useUnsaved } from "./unsaved";

export function same(a: unknown, b: unknown): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}

export interface Editor<V> {
	value: V;
	base: V;
	set: <K extends keyof V>(name: K, value: V[K]) => void;
	errors: Partial<Record<string, string>>;
	changes: Partial<V>;
	dirty: boolean;
	busy: boolean;
	refused: string | null; // what the server said of the form as a whole
	stale: boolean; // somebody else was faster
	locked: boolean; // for whoever may only look
	reset: (value: V) => void;
	rebase: (base: V, value: V) => void;
	// Runs a write. What it throws is shown at its field, or above the form; undefined then.
	attempt: <T>(write: () => Promise<T>) => Promise<T | undefined>;
}

export function useEditor<V extends object>(start: V, locked = false): Editor<V> {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const [base, setBase] = useState(start);
	const [value, setValue] = useState(start);
	const [errors, setErrors] = useState<Partial<Record<string, string>>>({});
	const [refused, setRefused] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const [stale, setStale] = useState(false);
	const changes = Object.fromEntries(
		Object.entries(value).filter(([name, now]) => !same(now, base[name as keyof V])),
	) as Partial<V>;
	const dirty = Object.keys(changes).length > 0;
	useUnsaved(dirty && !locked);

	const told = (error: unknown) => {
		if (!(error instanceof Problem)) throw error;
		if (error.code === "stale") return setStale(true);
		const named = error.field.filter(({ name }) => name !== "");
		setErrors(Object.fromEntries(named.map((each) => [each.name, problemSentence(each)])));
		const known = named.length > 0 && named.every(({ name }) => name in value);
		setRefused(known ? t("forms.wrong", { count: named.length }) : sentence(error));
	};
	return {
		value,
		base,
		errors,
		changes,
		dirty,
		busy,
		refused,
		stale,
		locked,
		set: (name, next) => {
			setValue((now) => ({ ...now, [name]: next }));
			setErrors((now) => ({ ...now, [name as string]: undefined }));
		},
		reset: (next) => {
			setBase(next);
			setValue(next);
			setErrors({});
			setRefused(null);
			setStale(false);
		},
		rebase: (nextBase, next) => {
			setBase(nextBase);
			setValue(next);
			setStale(false);
		},
		attempt: async (write) => {
			setBusy(true);
			setErrors({});
			setRefused(null);
			try {
				return await write();
			} catch (error) {
				told(error);
				return undefined;
			} finally {
				setBusy(false);
			}
		},
	};
}
