// System → Tokens: keys for machines. The secret is shown once.
import { Alert, Badge, Button, Group, Modal, MultiSelect, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import IconKey from "@tabler/icons-react/icons/IconKey";
import IconPlus from "@tabler/icons-react/icons/IconPlus";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem, request, type Schemas } from "../../api/client";
import { useRefresh } from "../../api/resources";
import { useMayWrite, type Role } from "../../api/session";
import { Copyable } from "../../parts/Copyable";
import { ListPage, type Column } from "../../parts/ListPage";
import { useProblemSentence } from "../../parts/problem";
import { moment } from "../../parts/time";
import { useRemove } from "../../parts/useRemove";

type Token = Schemas["Token"];
const scopes = ["read", "write", "calls"] as const;
const roles: readonly Role[] = ["admin", "agent", "auditor"];

function NewToken({ close }: { close: () => void }) {
	const { t } = useTranslation();
	const refresh = useRefresh();
	const sentence = useProblemSentence();
	const [title, setTitle] = useState("");
	const [role, setRole] = useState<Role>("auditor");
	const [may, setMay] = useState<string[]>(["read"]);
	const [ends, setEnds] = useState("");
	const [said, setSaid] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const [made, setMade] = useState<Schemas["CreatedToken"] | null>(null);

	const create = async () => {
		setBusy(true);
		setSaid(null);
		try {
			const body = { title, role, scopes: may.join(" "), ...(ends ? { expires_at: new Date(`${ends}T23:59:59`).toISOString() } : {}) };
			setMade((await request<Schemas["CreatedToken"]>("POST", "/tokens", { body, idempotencyKey: crypto.randomUUID() })).data);
			await refresh("tokens");
		} catch (error) {
			setSaid(error instanceof Problem && error.field[0] ? error.field[0].sentence : sentence(error));
		} finally {
			setBusy(false);
		}
	};
	if (made)
		return (
			<Stack>
				<Alert variant="light">{t("tokens.once")}</Alert>
				<Copyable label={t("tokens.secret")} value={made.secret} secret />
				<Group justify="flex-end">
					<Button onClick={close}>{t("forms.close")}</Button>
				</Group>
			</Stack>
		);
	return (
		<form
			onSubmit={(event) => {
				event.preventDefault();
				void create();
			}}
		>
			<Stack>
				{said && (
					<Alert color="red" variant="light" role="alert">
						{said}
					</Alert>
				)}
				<TextInput label={t("tokens.title")} required maxLength={100} value={title} onChange={(event) => setTitle(event.currentTarget.value)} data-autofocus />
				<Select
					label={t("tokens.role")}
					allowDeselect={false}
					data={roles.map((value) => ({ value, label: t(`users.roles.${value}`) }))}
					value={role}
					onChange={(value) => value && setRole(value as Role)}
				/>
				<MultiSelect label={t("tokens.scopes")} data={scopes.map((value) => ({ value, label: t(`tokens.may.${value}`) }))} value={may} onChange={setMay} />
				<TextInput type="date" label={t("tokens.ends")} description={t("tokens.endsHint")} value={ends} onChange={(event) => setEnds(event.currentTarget.value)} />
				<Group justify="flex-end">
					<Button variant="default" onClick={close}>
						{t("forms.cancel")}
					</Button>
					<Button type="submit" loading={busy} disabled={!title || may.length === 0}>
						{t("forms.create")}
					</Button>
				</Group>
			</Stack>
		</form>
	);
}

export default function Tokens() {
	const { t } = useTranslation();
	const mayWrite = useMayWrite();
	const [opened, { open, close }] = useDisclosure();
	const nameOf = (token: Token) => token.title ?? "";
	const remove = useRemove("tokens", {
		nameOf,
		title: (tokens) => t("tokens.deleteTitle", { names: tokens.map(nameOf).join(", ") }),
		consequences: () => [t("tokens.deleteText")],
	});
	const columns = useMemo(
		(): Column<Token>[] => [
			{ id: "title", header: t("tokens.title"), cell: nameOf },
			{
				id: "role",
				header: t("tokens.role"),
				cell: (token) => (
					<Badge variant="light" color="gray" tt="none">
						{t(`users.roles.${token.role}`)}
					</Badge>
				),
			},
			{
				id: "scopes",
				header: t("tokens.scopes"),
				sortable: false,
				cell: (token) =>
					token.scopes
						.split(" ")
						.map((each) => ((scopes as readonly string[]).includes(each) ? t(`tokens.may.${each as "read"}`) : each))
						.join(", "),
			},
			{ id: "created_at", header: t("tokens.created"), numeric: true, cell: (token) => moment(token.created_at) },
			{ id: "expires_at", header: t("tokens.ends"), numeric: true, cell: (token) => (token.expires_at ? moment(token.expires_at) : t("signIns.never")) },
		],
		[t],
	);
	const add = mayWrite && (
		<Button leftSection={<IconPlus size={18} />} onClick={open}>
			{t("lists.add")}
		</Button>
	);
	return (
		<>
			<ListPage
				resource="tokens"
				name="tokens"
				title={t("shell.tokens")}
				text={t("tokens.text")}
				columns={columns}
				nameOf={nameOf}
				remove={remove}
				tools={add}
				empty={{ title: t("tokens.none"), text: t("tokens.noneText"), icon: <IconKey size={32} /> }}
			/>
			<Modal opened={opened} onClose={close} title={t("tokens.new")} closeButtonProps={{ "aria-label": t("forms.close") }}>
				{opened && <NewToken close={close} />}
			</Modal>
		</>
	);
}
