// Manage → Numbers: the public numbers that trunks deliver, and whom each reaches.
import { Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconNumber from "@tabler/icons-react/icons/IconNumber123";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useEntity, useList, type Did } from "../../api/resources";
import { Dialled } from "../../parts/Dialled";
import { ChoiceField, NumberField, TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import { ButtonLink } from "../../parts/ButtonLink";
import { ExportButton } from "../../parts/ExportButton";
import { ListPage, type Column } from "../../parts/ListPage";
import { useRemove } from "../../parts/useRemove";
import type { Editor } from "../../parts/useEditor";
import { SimplePage } from "./simple";

function UserName({ id }: { id: string }) {
	const { data } = useEntity("users", id);
	return (
		<Link href={`/users/${id}`} className="link">
			{data ? `${data.data.title} (${data.data.extension})` : "…"}
		</Link>
	);
}

function TrunkName({ id }: { id: string | null }) {
	const { t } = useTranslation();
	const { data } = useEntity("trunks", id ?? undefined);
	return id ? (data?.data.title ?? "…") : t("outside.anyTrunk");
}

const targets = ["user", "digits", "busy", "not_found"] as const;

function Target({ did }: { did: Did }) {
	const { t } = useTranslation();
	if (did.target === "user" && did.user_id) return <UserName id={did.user_id} />;
	if (did.target !== "digits") return t(`numbers.targets.${did.target ?? "user"}`);
	const digits = t("numbers.digitsShort", { count: did.extension_digits ?? 0 });
	return did.extension_prefix ? t("numbers.prefixedShort", { digits, prefix: did.extension_prefix }) : digits;
}

// The dash of a range, with room for the line to break.
const compared = (did: Did) => (did.canonical ?? "").replace("-", " – ");

export function NumberList() {
	const { t } = useTranslation();
	const nameOf = (did: Pick<Did, "number" | "last">) =>
		did.last ? t("numbers.range", { number: did.number, last: did.last }) : did.number;
	const remove = useRemove("dids", {
		nameOf,
		title: (dids) => t("outside.deleteDid.title", { names: dids.map(nameOf).join(", ") }),
		consequences: () => [t("outside.deleteDid.calls")],
	});
	const columns = useMemo(
		(): Column<Did>[] => [
			{ id: "number", header: t("outside.number"), cell: nameOf, link: true, numeric: true },
			{ id: "canonical", header: t("outside.canonical"), cell: compared, numeric: true },
			{ id: "user_id", header: t("outside.reaches"), sortable: false, cell: (did) => <Target did={did} /> },
			{ id: "trunk_id", header: t("outside.trunk"), sortable: false, cell: (did) => <TrunkName id={did.trunk_id ?? null} /> },
		],
		[t],
	);
	return (
		<ListPage
			resource="dids"
			name="dids"
			title={t("shell.dids")}
			text={t("outside.didsText")}
			columns={columns}
			sort="number"
			nameOf={nameOf}
			hrefOf={(did) => `/numbers/${did.id}`}
			cloneOf={(did) => `/numbers/new?clone=${did.id}`}
			remove={remove}
			tools={
				<>
					<ButtonLink href="/numbers/try" variant="default">
						{t("tryNumber.open")}
					</ButtonLink>
					<ExportButton of="dids" />
				</>
			}
			add={{ href: "/numbers/new" }}
			empty={{ title: t("outside.noDids"), text: t("outside.noDidsText"), icon: <IconNumber size={32} /> }}
		/>
	);
}

interface DidValue {
	number: string;
	last: string;
	target: (typeof targets)[number];
	user_id: string;
	extension_digits: number;
	extension_prefix: string;
	trunk_id: string;
}

// Users are searched on the server: there may be 50,000 of them.
function UserField({ form }: { form: Editor<DidValue> }) {
	const { t } = useTranslation();
	const [text, setText] = useState("");
	const [q] = useDebouncedValue(text, 200);
	const chosen = useEntity("users", form.value.user_id || undefined);
	const { data } = useList("users", { q: q || undefined, limit: 20, sort: "extension" });
	const label = (user: { title?: string; extension?: string }) => `${user.title} (${user.extension})`;
	const found = (data?.items ?? []).map((user) => ({ value: user.id, label: label(user) }));
	const options =
		chosen.data && !found.some((each) => each.value === chosen.data.data.id)
			? [{ value: chosen.data.data.id, label: label(chosen.data.data) }, ...found]
			: found;
	return (
		<Select
			label={t("outside.reaches")}
			required
			searchable
			data={options}
			filter={({ options: all }) => all}
			value={form.value.user_id || null}
			readOnly={form.locked}
			error={form.errors["user_id"]}
			onSearchChange={(next) => setText(found.some((each) => each.label === next) ? "" : next)}
			onChange={(next) => next && form.set("user_id", next)}
			nothingFoundMessage={<Text size="sm">{t("lists.nothingFound")}</Text>}
		/>
	);
}

// A number that leads elsewhere than to a user names none.
function bodyOf({ trunk_id, user_id, ...rest }: Partial<DidValue>) {
	return {
		...rest,
		...(rest.target && rest.target !== "user" ? { user_id: null } : user_id === undefined ? {} : { user_id: user_id || null }),
		...(trunk_id === undefined ? {} : { trunk_id: trunk_id || null }),
	};
}

export function NumberPage() {
	const { t } = useTranslation();
	const trunks = useList("trunks", { limit: 1000, sort: "title" });
	const options = [{ value: "", label: t("outside.anyTrunk") }, ...(trunks.data?.items ?? []).map((trunk) => ({ value: trunk.id, label: trunk.title ?? "" }))];
	return (
		<SimplePage<"dids", DidValue>
			resource="dids"
			list={{ href: "/numbers", label: t("shell.dids") }}
			newTitle={t("outside.newDid")}
			blank={{ number: "", last: "", target: "user", user_id: "", extension_digits: 3, extension_prefix: "", trunk_id: "" }}
			valueOf={(did) => ({
				number: did.number,
				last: did.last ?? "",
				target: did.target ?? "user",
				user_id: did.user_id ?? "",
				extension_digits: did.extension_digits || 3,
				extension_prefix: did.extension_prefix ?? "",
				trunk_id: did.trunk_id ?? "",
			})}
			bodyOf={bodyOf}
			nameOf={(did) => did.number}
			forClone={{ number: "" }}
			labels={{
				number: t("outside.number"),
				last: t("numbers.last"),
				target: t("numbers.target"),
				user_id: t("outside.reaches"),
				extension_digits: t("numbers.digits"),
				extension_prefix: t("numbers.prefix"),
				trunk_id: t("outside.trunk"),
			}}
			fields={(form, isNew, did) => (
				<Card>
					<Fields>
						<Stack gap={6}>
							<TextField
								form={form}
								name="number"
								label={t("numbers.number")}
								max={40}
								mode="tel"
								required
								auto={isNew}
								placeholder="+44 1444 200200"
								hint={did ? t("devices.dialledAs", { number: compared(did) }) : t("outside.numberHint")}
							/>
							{form.value.number !== did?.number && <Dialled number={form.value.number} />}
						</Stack>
						<TextField form={form} name="last" label={t("numbers.last")} max={40} mode="tel" hint={t("numbers.lastHint")} placeholder="299" />
						<ChoiceField
							form={form}
							name="target"
							label={t("numbers.target")}
							hint={t("numbers.targetHint")}
							options={targets.map((value) => ({ value, label: t(`numbers.targets.${value}`) }))}
						/>
						{form.value.target === "user" && <UserField form={form} />}
						{form.value.target === "digits" && (
							<>
								<NumberField form={form} name="extension_digits" label={t("numbers.digits")} min={1} max={15} hint={t("numbers.digitsHint")} />
								<TextField form={form} name="extension_prefix" label={t("numbers.prefix")} max={14} mode="tel" hint={t("numbers.prefixHint")} />
							</>
						)}
						<ChoiceField form={form} name="trunk_id" label={t("outside.trunk")} hint={t("outside.didTrunkHint")} options={options} />
					</Fields>
				</Card>
			)}
		/>
	);
}
