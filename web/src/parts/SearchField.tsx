// The search field of every list: asks once the typing pauses; "/" goes there.
import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import IconSearch from "@tabler/icons-react/icons/IconSearch";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./ListPage.module.css";

interface SearchFieldProps {
	q: string; // what is looked for now
	onSearch: (q: string | null) => void;
	hint: string;
}

export function SearchField({ q, onSearch, hint }: SearchFieldProps) {
	const { t } = useTranslation();
	const input = useRef<HTMLInputElement>(null);
	const [text, setText] = useState(q);
	const search = useDebouncedCallback((value: string) => onSearch(value.trim() || null), 250);
	useEffect(() => {
		if (document.activeElement !== input.current) setText(q);
	}, [q]);
	useHotkeys([["/", () => input.current?.focus()]]);
	return (
		<TextInput
			ref={input}
			className={classes.search}
			type="search"
			aria-label={t("lists.search")}
			placeholder={hint}
			leftSection={<IconSearch size={16} />}
			rightSection={
				text && (
					<CloseButton
						size="sm"
						aria-label={t("lists.clear")}
						onClick={() => {
							setText("");
							onSearch(null);
						}}
					/>
				)
			}
			value={text}
			maxLength={100}
			onChange={(event) => {
				setText(event.currentTarget.value);
				search(event.currentTarget.value);
			}}
		/>
	);
}
