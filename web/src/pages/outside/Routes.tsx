// Manage → Routes: which numbers go out over which trunk.
import { Badge } from "@mantine/core";
import IconRoute from "@tabler/icons-react/icons/IconRoute";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useList, type Route } from "../../api/resources";
import { ButtonLink } from "../../parts/ButtonLink";
import { ChoiceField, NumberField, TextField } from "../../parts/fields";
import { Card, Fields } from "../../parts/FormPage";
import { ListPage, type Column } from "../../parts/ListPage";
import { useRemove } from "../../parts/useRemove";
import { SimplePage } from "./simple";

function useTrunkNames() {
	const { data } = useList("trunks", { limit: 1000, sort: "title" });
	return useMemo(() => new Map((data?.items ?? []).map((trunk) => [trunk.id, trunk.title ?? ""])), [data]);
}

export function RouteList() {
	const { t } = useTranslation();
	const trunks = useTrunkNames();
	const nameOf = (route: Route) => t("outside.routeName", { pattern: route.pattern || t("outside.every"), trunk: trunks.get(route.trunk_id) ?? "" });
	const remove = useRemove("routes", {
		nameOf,
		title: (routes) => t("outside.deleteRoute.title", { names: routes.map(nameOf).join(", ") }),
		consequences: () => [t("outside.deleteRoute.numbers")],
	});
	const columns = useMemo(
		(): Column<Route>[] => [
			{ id: "pattern", header: t("outside.pattern"), cell: (route) => route.pattern || t("outside.every"), link: true, numeric: true },
			{ id: "trunk_id", header: t("outside.trunk"), cell: (route) => trunks.get(route.trunk_id) ?? "–" },
			{ id: "cost", header: t("outside.cost"), cell: (route) => route.cost, numeric: true },
			{
				id: "strip",
				header: t("outside.rewrite"),
				sortable: false,
				cell: (route) =>
					[route.strip && t("outside.stripShort", { count: route.strip }), route.prepend && t("outside.prependShort", { digits: route.prepend })]
						.filter(Boolean)
						.join(", ") || "–",
			},
			{
				id: "toll_class",
				header: t("outside.tollClass"),
				cell: (route) => (
					<Badge variant="light" tt="none" color="gray">
						{t(`outside.tollClasses.${String(route.toll_class) as "0"}`)}
					</Badge>
				),
			},
		],
		[t, trunks],
	);
	return (
		<ListPage
			resource="routes"
			name="routes"
			title={t("shell.routes")}
			text={t("outside.routesText")}
			columns={columns}
			sort="pattern"
			nameOf={nameOf}
			hrefOf={(route) => `/routes/${route.id}`}
			cloneOf={(route) => `/routes/new?clone=${route.id}`}
			remove={remove}
			tools={
				<ButtonLink href="/numbers/try" variant="default">
					{t("tryNumber.open")}
				</ButtonLink>
			}
			add={{ href: "/routes/new" }}
			empty={{
				title: t("outside.noRoutes"),
				text: t("outside.noRoutesText"),
				icon: <IconRoute size={32} />,
				children: trunks.size === 0 && (
					<ButtonLink href="/trunks/new" variant="default">
						{t("outside.newTrunk")}
					</ButtonLink>
				),
			}}
		/>
	);
}

interface RouteValue {
	pattern: string;
	trunk_id: string;
	cost: number;
	strip: number;
	prepend: string;
	toll_class: string;
}

export function RoutePage() {
	const { t } = useTranslation();
	const trunks = useTrunkNames();
	const options = [...trunks].map(([value, label]) => ({ value, label }));
	return (
		<SimplePage<"routes", RouteValue>
			resource="routes"
			list={{ href: "/routes", label: t("shell.routes") }}
			newTitle={t("outside.newRoute")}
			blank={{ pattern: "", trunk_id: "", cost: 0, strip: 0, prepend: "", toll_class: "1" }}
			valueOf={({ pattern, trunk_id, cost, strip, prepend, toll_class }) => ({ pattern, trunk_id, cost: cost ?? 0, strip: strip ?? 0, prepend, toll_class: String(toll_class) })}
			bodyOf={({ toll_class, ...rest }) => ({ ...rest, ...(toll_class === undefined ? {} : { toll_class: Number(toll_class) }) })}
			nameOf={(route) => t("outside.routeName", { pattern: route.pattern || t("outside.every"), trunk: trunks.get(route.trunk_id) ?? "" })}
			forClone={{}}
			labels={{
				pattern: t("outside.pattern"),
				trunk_id: t("outside.trunk"),
				cost: t("outside.cost"),
				strip: t("outside.strip"),
				prepend: t("outside.prepend"),
				toll_class: t("outside.tollClass"),
			}}
			show={(name, value) => (name === "trunk_id" ? (trunks.get(String(value)) ?? "–") : String(value ?? "–") || "–")}
			fields={(form, isNew) => (
				<Card>
					<Fields>
						<TextField form={form} name="pattern" label={t("outside.pattern")} max={64} hint={t("outside.patternHint")} placeholder="+44" auto={isNew} />
						<ChoiceField form={form} name="trunk_id" label={t("outside.trunk")} required options={options} />
						<NumberField form={form} name="cost" label={t("outside.cost")} min={0} max={1000000} hint={t("outside.costHint")} />
						<ChoiceField
							form={form}
							name="toll_class"
							label={t("outside.tollClass")}
							hint={t("outside.tollClassHint")}
							options={(["0", "1", "2", "3"] as const).map((value) => ({ value, label: t(`outside.tollClasses.${value}`) }))}
						/>
						<NumberField form={form} name="strip" label={t("outside.strip")} min={0} max={31} hint={t("outside.stripHint")} />
						<TextField form={form} name="prepend" label={t("outside.prepend")} max={20} mode="tel" hint={t("outside.prependHint")} />
					</Fields>
				</Card>
			)}
		/>
	);
}
