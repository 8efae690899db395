// Manage → Users → List of users.
import { Badge } from "@mantine/core";
import IconUsers from "@tabler/icons-react/icons/IconUsers";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { User } from "../../api/resources";
import { ListPage, Twofold, YesNo, type Column } from "../../parts/ListPage";
import { useRemove } from "../../parts/useRemove";

export default function UserList() {
	const { t } = useTranslation();
	const nameOf = (user: User) => user.title || user.name;
	const remove = useRemove("users", {
		nameOf,
		title: (users) => (users.length === 1 && users[0] ? t("users.delete.one", { name: nameOf(users[0]) }) : t("users.delete.many", { count: users.length })),
		consequences: (users) => [
			t("users.delete.extension", { extensions: users.map((user) => user.extension).join(", ") }),
			...(users.some((user) => user.turns.length) ? [t("users.delete.devices")] : []),
			t("users.delete.session"),
			t("users.delete.records"),
		],
	});
	const columns = useMemo(
		(): Column<User>[] => [
			{ id: "title", header: t("users.title"), cell: (user) => user.title, link: true },
			{ id: "extension", header: t("users.extension"), cell: (user) => user.extension, numeric: true },
			{ id: "name", header: t("users.name"), cell: (user) => user.name },
			{
				id: "role",
				header: t("users.role"),
				cell: (user) => (
					<Badge variant="light" color={user.role === "admin" ? "petrol" : "gray"} tt="none">
						{t(`users.roles.${user.role}`)}
					</Badge>
				),
			},
			{
				id: "devices",
				header: t("users.devices"),
				sortable: false,
				cell: (user) => user.turns.length || <YesNo value={false} />,
			},
			{ id: "strategy", header: t("users.strategy"), cell: (user) => t(`users.strategies.${user.strategy}`), hidden: true },
			{ id: "do_not_disturb", header: t("users.doNotDisturb"), cell: (user) => <YesNo value={user.do_not_disturb} />, hidden: true },
			{
				id: "unanswered",
				header: t("users.unanswered"),
				cell: (user) => <Twofold main={t(`users.unansweredChoices.${user.unanswered}`)} below={user.unanswered_target} />,
				hidden: true,
			},
		],
		[t],
	);
	return (
		<ListPage
			resource="users"
			name="users"
			title={t("shell.users")}
			text={t("users.listText")}
			columns={columns}
			sort="extension"
			filters={[
				{
					field: "role",
					label: t("users.role"),
					options: (["admin", "agent", "auditor"] as const).map((role) => ({ value: role, label: t(`users.roles.${role}`) })),
				},
			]}
			nameOf={nameOf}
			hrefOf={(user) => `/users/${user.id}`}
			cloneOf={(user) => `/users/new?clone=${user.id}`}
			remove={remove}
			add={{ href: "/users/new" }}
			empty={{ title: t("users.empty"), text: t("users.emptyText"), icon: <IconUsers size={32} /> }}
		/>
	);
}
