// Manage → Users → List of users.
import { Badge } from "@mantine/core";
import IconUsers from "@tabler/icons-react/icons/IconUsers";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { User } from "../../api/resources";
import { choiceField, countField, switchField, useBulkEdit } from "../../parts/BulkEdit";
import { ExportButton } from "../../parts/ExportButton";
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
	const choices = <T extends string>(all: readonly T[], label: (each: T) => string) => all.map((value) => ({ value, label: label(value) }));
	const bulk = useBulkEdit("users", (count) => t("users.bulk.title", { count }), [
		choiceField("role", t("users.role"), choices(["agent", "admin", "auditor"] as const, (each) => t(`users.roles.${each}`))),
		switchField("do_not_disturb", t("users.doNotDisturb"), t("lists.yes"), t("lists.no")),
		countField("call_limit", t("users.callLimit"), 1000),
		choiceField("decline_stops", t("users.declineStops"), choices(["device", "all"] as const, (each) => t(`users.declineChoices.${each}`))),
		choiceField("toll_class", t("users.tollClass"), choices(["0", "1", "2", "3"] as const, (each) => t(`users.tollClasses.${each}`)), Number),
	]);
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
				sortBy: "reach",
				cell: (user) =>
					user.turns.length ? (
						<Twofold main={user.turns.length} below={t("users.reachable", { count: user.reachable_count ?? 0 })} />
					) : user.selected_device ? (
						<Twofold main={user.selected_device.title || user.selected_device.number} below={t("devices.selected")} />
					) : (
						<YesNo value={false} />
					),
			},
			{
				id: "session_count",
				header: t("users.signedInHeader"),
				sortable: false,
				cell: (user) => <YesNo value={(user.session_count ?? 0) > 0} />,
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
		<>
		{bulk.dialog}
		<ListPage
			resource="users"
			name="users"
			title={t("shell.users")}
			text={t("users.listText")}
			columns={columns}
			sort="extension"
			filters={[
				{
					field: "signed_in",
					label: t("users.signedInHeader"),
					options: [
						{ value: "true", label: t("lists.yes") },
						{ value: "false", label: t("lists.no") },
					],
				},
				{
					field: "reach",
					label: t("users.reach"),
					options: (["reachable", "unreachable", "nothing"] as const).map((reach) => ({ value: reach, label: t(`users.reaches.${reach}`) })),
				},
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
			bulk={[bulk.action]}
			tools={<ExportButton of="users" />}
			add={{ href: "/users/new" }}
			empty={{ title: t("users.empty"), text: t("users.emptyText"), icon: <IconUsers size={32} /> }}
		/>
		</>
	);
}
