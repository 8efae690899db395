// Manage → Numbers: the public numbers that trunks deliver, and whom each reaches.
import { Select, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconNumber from "@tabler/icons-react/icons/IconNumber123";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { useEntity, useList, type Did } from "../../api/resources";
import { ChoiceField, TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
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

export function NumberList() {
	const { t } = useTranslation();
	const remove = useRemove("dids", {
		nameOf: (did) => did.number,
		title: (dids) => t("outside.deleteDid.title", { names: dids.map((did) => did.number).join(", ") }),
		consequences: () => [t("outside.deleteDid.calls")],
	});
	const columns = useMemo(
		(): Column<Did>[] => [
			{ id: "number", header: t("outside.number"), cell: (did) => did.number, link: true, numeric: true },
			{ id: "canonical", header: t("outside.canonical"), cell: (did) => did.canonical, numeric: true },
			{ id: "user_id", header: t("outside.reaches"), sortable: false, cell: (did) => <UserName id={did.user_id} /> },
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
			nameOf={(did) => did.number}
			hrefOf={(did) => `/numbers/${did.id}`}
			cloneOf={(did) => `/numbers/new?clone=${did.id}`}
			remove={remove}
			tools={<ExportButton of="dids" />}
			add={{ href: "/numbers/new" }}
			empty={{ title: t("outside.noDids"), text: t("outside.noDidsText"), icon: <IconNumber size={32} /> }}
		/>
	);
}

interface DidValue {
	number: string;
	user_id: string;
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

export function NumberPage() {
	const { t } = useTranslation();
	const trunks = useList("trunks", { limit: 1000, sort: "title" });
	const options = [{ value: "", label: t("outside.anyTrunk") }, ...(trunks.data?.items ?? []).map((trunk) => ({ value: trunk.id, label: trunk.title ?? "" }))];
	return (
		<SimplePage<"dids", DidValue>
			resource="dids"
			list={{ href: "/numbers", label: t("shell.dids") }}
			newTitle={t("outside.newDid")}
			blank={{ number: "", user_id: "", trunk_id: "" }}
			valueOf={(did) => ({ number: did.number, user_id: did.user_id, trunk_id: did.trunk_id ?? "" })}
			bodyOf={({ trunk_id, ...rest }) => ({ ...rest, ...(trunk_id === undefined ? {} : { trunk_id: trunk_id || null }) })}
			nameOf={(did) => did.number}
			forClone={{ number: "" }}
			labels={{ number: t("outside.number"), user_id: t("outside.reaches"), trunk_id: t("outside.trunk") }}
			fields={(form, isNew, did) => (
				<Card>
					<Fields>
						<TextField
							form={form}
							name="number"
							label={t("outside.number")}
							max={40}
							mode="tel"
							required
							auto={isNew}
							placeholder="+44 1444 200200"
							hint={did ? t("devices.dialledAs", { number: did.canonical ?? "" }) : t("outside.numberHint")}
						/>
						<UserField form={form} />
						<ChoiceField form={form} name="trunk_id" label={t("outside.trunk")} hint={t("outside.didTrunkHint")} options={options} />
					</Fields>
				</Card>
			)}
		/>
	);
}
