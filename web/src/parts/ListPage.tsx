// A list as every page has it: search, sorting, filters, pages, choice of columns, compact rows, bulk actions, clone and
// delete per row. The server does the work; the address keeps search, sorting and filters, so that Back and a bookmark do too.
import {
	ActionIcon,
	Anchor,
	Button,
	Checkbox,
	Group,
	Menu,
	Paper,
	Progress,
	Select,
	Skeleton,
	Stack,
	Table,
	Text,
	Tooltip,
	VisuallyHidden,
} from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import IconAsc from "@tabler/icons-react/icons/IconArrowUp";
import IconClone from "@tabler/icons-react/icons/IconCopy";
import IconColumns from "@tabler/icons-react/icons/IconAdjustmentsHorizontal";
import IconDelete from "@tabler/icons-react/icons/IconTrash";
import IconDesc from "@tabler/icons-react/icons/IconArrowDown";
import IconNext from "@tabler/icons-react/icons/IconChevronRight";
import IconNothing from "@tabler/icons-react/icons/IconSearchOff";
import IconPlus from "@tabler/icons-react/icons/IconPlus";
import IconPrevious from "@tabler/icons-react/icons/IconChevronLeft";
import { flexRender, getCoreRowModel, useReactTable, type ColumnDef, type RowSelectionState } from "@tanstack/react-table";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useSearch } from "wouter";
import type { Query } from "../api/client";
import { useList, type Resource, type Resources } from "../api/resources";
import { useMayWrite } from "../api/session";
import { ButtonLink } from "./ButtonLink";
import classes from "./ListPage.module.css";
import { PageHead } from "./PageHead";
import { SearchField } from "./SearchField";
import { Failure, Message } from "./States";

export interface Column<T> {
	id: string; // the field that sorts it, unless sortBy names another
	header: string;
	cell: (row: T) => ReactNode;
	sortable?: boolean;
	sortBy?: string;
	link?: boolean; // opens the entry
	hidden?: boolean; // until somebody wants to see it
	numeric?: boolean;
}

export interface Filter {
	field: string;
	label: string;
	options: { value: string; label: string }[];
}

export interface BulkAction<T> {
	label: string;
	icon?: ReactNode;
	run: (rows: T[]) => Promise<boolean>; // true: done, the selection is dropped
}

interface ListPageProps<R extends Resource> {
	resource: R;
	name: string; // under which the choice of columns is kept
	title: string;
	text?: ReactNode;
	fixed?: Query;
	columns: Column<Resources[R]>[];
	filters?: Filter[];
	sort?: string;
	nameOf: (row: Resources[R]) => string;
	hrefOf?: (row: Resources[R]) => string;
	cloneOf?: (row: Resources[R]) => string;
	remove?: (rows: Resources[R][]) => Promise<boolean>;
	add?: { href: string; label?: string };
	bulk?: BulkAction<Resources[R]>[];
	tools?: ReactNode;
	empty: { title: string; text: ReactNode; icon?: ReactNode; children?: ReactNode };
}

interface Kept {
	hidden: string[];
	compact: boolean;
	perPage: number;
}

const PER_PAGE = [25, 50, 100, 250];

// What the address says of the list.
function useListAddress(filters: Filter[], sortFirst: string) {
	const [path, navigate] = useLocation();
	const search = useSearch();
	const parameters = useMemo(() => new URLSearchParams(search), [search]);
	const set = (changes: Record<string, string | null>) => {
		const next = new URLSearchParams(search);
		for (const [name, value] of Object.entries(changes))
			if (value) next.set(name, value);
			else next.delete(name);
		const text = next.toString();
		navigate(text ? `${path}?${text}` : path, { replace: true });
	};
	const chosen: Query = {};
	for (const { field } of filters) {
		const value = parameters.get(field);
		if (value) chosen[field] = value;
	}
	return { q: parameters.get("q") ?? "", sort: parameters.get("sort") ?? sortFirst, chosen, set };
}

export function ListPage<R extends Resource>(props: ListPageProps<R>) {
	type Row = Resources[R];
	const { resource, columns, filters = [], nameOf, hrefOf, cloneOf, remove, add, bulk = [] } = props;
	const { t } = useTranslation();
	const mayWrite = useMayWrite();
	const address = useListAddress(filters, props.sort ?? "");
	const [kept, setKept] = useLocalStorage<Kept>({
		key: `carillon.list.${props.name}`,
		defaultValue: { hidden: columns.filter((each) => each.hidden).map((each) => each.id), compact: false, perPage: 50 },
		getInitialValueInEffect: false,
	});
	const [cursors, setCursors] = useState<string[]>([]);
	const [selection, setSelection] = useState<RowSelectionState>({});
	const [busy, setBusy] = useState(false);
	const asked = JSON.stringify([address.q, address.sort, address.chosen, props.fixed, kept.perPage]);
	useEffect(() => {
		setCursors([]);
		setSelection({});
	}, [asked]);

	const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useList(resource, {
		...props.fixed,
		...address.chosen,
		q: address.q || undefined,
		sort: address.sort || undefined,
		limit: kept.perPage,
		cursor: cursors.at(-1),
	});
	const rows = (data?.items ?? []) as Row[];
	const narrowed = Boolean(address.q) || Object.values(address.chosen).some(Boolean);

	const table = useReactTable<Row>({
		data: rows,
		columns: useMemo(
			() => columns.map((each): ColumnDef<Row> => ({ id: each.id, header: each.header, cell: ({ row }) => each.cell(row.original) })),
			[columns],
		),
		getCoreRowModel: getCoreRowModel(),
		getRowId: (row) => row.id,
		manualSorting: true,
		manualPagination: true,
		manualFiltering: true,
		state: {
			columnVisibility: Object.fromEntries(columns.map((each) => [each.id, !kept.hidden.includes(each.id)])),
			rowSelection: selection,
		},
		onRowSelectionChange: setSelection,
	});
	const selected = table.getSelectedRowModel().rows.map((row) => row.original);
	const columnOf = new Map(columns.map((each) => [each.id, each]));
	const selectable = mayWrite && (bulk.length > 0 || Boolean(remove));
	const acting = mayWrite && Boolean(cloneOf || remove);

	const act = async (run: (rows: Row[]) => Promise<boolean>, on: Row[]) => {
		setBusy(true);
		try {
			if (await run(on)) setSelection({});
		} finally {
			setBusy(false);
		}
	};

	const addButton = add && mayWrite && (
		<ButtonLink href={add.href} leftSection={<IconPlus size={18} />}>
			{add.label ?? t("lists.add")}
		</ButtonLink>
	);
	const head = (
		<PageHead title={props.title} text={props.text}>
			{props.tools}
			{addButton}
		</PageHead>
	);
	if (error && !data) return [head, <Failure key="failure" error={error} retry={() => void refetch()} />];
	if (data?.total === 0 && !narrowed && !isPlaceholderData)
		return (
			<>
				{head}
				<div className="card">
					<Message title={props.empty.title} text={props.empty.text} icon={props.empty.icon}>
						{addButton}
						{props.empty.children}
					</Message>
				</div>
			</>
		);
	return (
		<>
			{head}
			<Paper className={classes.paper}>
				<Toolbar
					q={address.q}
					filters={filters}
					chosen={address.chosen}
					set={address.set}
					view={<View columns={columns} kept={kept} setKept={setKept} />}
				/>
				<div className={classes.working} aria-hidden>
					{(isFetching || busy) && <Progress value={100} animated size={2} radius={0} />}
				</div>
				{selectable && selected.length > 0 && (
					<Group className={classes.bulk} role="region" aria-label={t("lists.selected", { count: selected.length })}>
						<Text size="sm" fw={600}>
							{t("lists.selected", { count: selected.length })}
						</Text>
						{bulk.map((each) => (
							<Button
								key={each.label}
								size="xs"
								variant="default"
								leftSection={each.icon}
								disabled={busy}
								onClick={() => void act(each.run, selected)}
							>
								{each.label}
							</Button>
						))}
						{remove && (
							<Button
								size="xs"
								variant="default"
								leftSection={<IconDelete size={16} />}
								disabled={busy}
								onClick={() => void act(remove, selected)}
							>
								{t("lists.delete")}
							</Button>
						)}
						<Button size="xs" variant="subtle" onClick={() => setSelection({})}>
							{t("lists.unselect")}
						</Button>
					</Group>
				)}
				<Table.ScrollContainer minWidth={0} className={classes.scroll} type="native">
					<Table
						className={classes.table}
						data-compact={kept.compact || undefined}
						data-stale={isPlaceholderData || undefined}
						aria-label={props.title}
						aria-busy={isPending}
						highlightOnHover
					>
						<Table.Thead role="rowgroup">
							<Table.Tr role="row">
								{selectable && (
									<Table.Th role="columnheader" className={classes.check}>
										<Checkbox
											size="sm"
											aria-label={t("lists.selectAll")}
											checked={table.getIsAllRowsSelected()}
											indeterminate={table.getIsSomeRowsSelected()}
											onChange={table.getToggleAllRowsSelectedHandler()}
										/>
									</Table.Th>
								)}
								{table.getVisibleLeafColumns().map(({ id }) => {
									const column = columnOf.get(id) as Column<Row>;
									return <Head key={id} column={column} sort={address.sort} set={address.set} />;
								})}
								{acting && (
									<Table.Th role="columnheader" className={classes.actions}>
										{t("lists.actions")}
									</Table.Th>
								)}
							</Table.Tr>
						</Table.Thead>
						<Table.Tbody role="rowgroup">
							{isPending &&
								Array.from({ length: 6 }, (_, at) => (
									<Table.Tr key={at} role="row">
										<Table.Td role="cell" colSpan={99}>
											<Skeleton height={14} my={5} />
										</Table.Td>
									</Table.Tr>
								))}
							{table.getRowModel().rows.map((row) => (
								<Table.Tr key={row.id} role="row" data-selected={row.getIsSelected() || undefined}>
									{selectable && (
										<Table.Td role="cell" className={classes.check}>
											<Checkbox
												size="sm"
												aria-label={t("lists.select", { name: nameOf(row.original) })}
												checked={row.getIsSelected()}
												onChange={row.getToggleSelectedHandler()}
											/>
										</Table.Td>
									)}
									{row.getVisibleCells().map((cell) => {
										const column = columnOf.get(cell.column.id) as Column<Row>;
										const shown = flexRender(cell.column.columnDef.cell, cell.getContext());
										return (
											<Table.Td
												key={cell.id}
												role="cell"
												data-label={column.header}
												data-main={column.link || undefined}
												className={column.numeric ? "numeric" : undefined}
											>
												{column.link && hrefOf ? (
													<Anchor component={Link} href={hrefOf(row.original)} className={classes.open}>
														{shown}
													</Anchor>
												) : (
													shown
												)}
											</Table.Td>
										);
									})}
									{acting && (
										<Table.Td role="cell" className={classes.actions}>
											<Group gap={2} wrap="nowrap" justify="flex-end">
												{cloneOf && (
													<Tooltip label={t("lists.clone")}>
														<ActionIcon
															component={Link}
															href={cloneOf(row.original)}
															variant="subtle"
															color="gray"
															aria-label={t("lists.cloneOf", { name: nameOf(row.original) })}
														>
															<IconClone size={18} />
														</ActionIcon>
													</Tooltip>
												)}
												{remove && (
													<Tooltip label={t("lists.delete")}>
														<ActionIcon
															variant="subtle"
															color="gray"
															disabled={busy}
															onClick={() => void act(remove, [row.original])}
															aria-label={t("lists.deleteOf", { name: nameOf(row.original) })}
														>
															<IconDelete size={18} />
														</ActionIcon>
													</Tooltip>
												)}
											</Group>
										</Table.Td>
									)}
								</Table.Tr>
							))}
						</Table.Tbody>
					</Table>
				</Table.ScrollContainer>
				{data?.total === 0 && (
					<Message title={t("lists.nothingFound")} text={t("lists.nothingFoundText")} icon={<IconNothing size={32} />}>
						<Button
							variant="default"
							onClick={() => address.set(Object.fromEntries([["q", null], ...filters.map(({ field }) => [field, null])]))}
						>
							{t("lists.clearAll")}
						</Button>
					</Message>
				)}
				{data && data.total > 0 && (
					<Pager
						from={cursors.length * kept.perPage + 1}
						count={rows.length}
						total={data.total}
						previous={cursors.length ? () => setCursors(cursors.slice(0, -1)) : undefined}
						next={data.next && !isPlaceholderData ? () => setCursors([...cursors, data.next as string]) : undefined}
					/>
				)}
			</Paper>
		</>
	);
}

type SetAddress = (changes: Record<string, string | null>) => void;

function Head<T>({ column, sort, set }: { column: Column<T>; sort: string; set: SetAddress }) {
	const { t } = useTranslation();
	if (column.sortable === false) return <Table.Th role="columnheader">{column.header}</Table.Th>;
	const field = column.sortBy ?? column.id;
	const ascending = sort === field;
	const descending = sort === `-${field}`;
	return (
		<Table.Th role="columnheader" aria-sort={ascending ? "ascending" : descending ? "descending" : "none"}>
			<button
				type="button"
				className={classes.sort}
				onClick={() => set({ sort: ascending ? `-${field}` : field })}
				title={t("lists.sortBy", { column: column.header })}
			>
				{column.header}
				<span className={classes.arrow} data-on={ascending || descending || undefined} aria-hidden>
					{descending ? <IconDesc size={14} /> : <IconAsc size={14} />}
				</span>
			</button>
		</Table.Th>
	);
}

interface ToolbarProps {
	q: string;
	filters: Filter[];
	chosen: Query;
	set: SetAddress;
	view: ReactNode;
}

function Toolbar({ q, filters, chosen, set, view }: ToolbarProps) {
	const { t } = useTranslation();
	return (
		<Group className={classes.toolbar} gap="sm">
			<SearchField q={q} onSearch={(value) => set({ q: value })} hint={t("lists.searchHint")} />
			{filters.map(({ field, label, options }) => (
				<Select
					key={field}
					className={classes.filter}
					aria-label={label}
					placeholder={label}
					data={options}
					value={(chosen[field] as string | undefined) ?? null}
					onChange={(value) => set({ [field]: value })}
					clearable
					clearButtonProps={{ "aria-label": t("lists.clear") }}
				/>
			))}
			<div className={classes.space} />
			{view}
		</Group>
	);
}

interface ViewProps<T> {
	columns: Column<T>[];
	kept: Kept;
	setKept: (kept: Kept) => void;
}

function View<T>({ columns, kept, setKept }: ViewProps<T>) {
	const { t } = useTranslation();
	return (
		<Menu closeOnItemClick={false} position="bottom-end" width={240}>
			<Menu.Target>
				<Button variant="default" leftSection={<IconColumns size={16} />}>
					{t("lists.view")}
				</Button>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Label>{t("lists.columns")}</Menu.Label>
				{columns
					.filter((each) => !each.link)
					.map(({ id, header }) => {
						const shown = !kept.hidden.includes(id);
						return (
							<Menu.Item
								key={id}
								role="menuitemcheckbox"
								aria-checked={shown}
								leftSection={<Checkbox.Indicator checked={shown} size="xs" />}
								onClick={() =>
									setKept({ ...kept, hidden: shown ? [...kept.hidden, id] : kept.hidden.filter((each) => each !== id) })
								}
							>
								{header}
							</Menu.Item>
						);
					})}
				<Menu.Divider />
				<Menu.Item
					role="menuitemcheckbox"
					aria-checked={kept.compact}
					leftSection={<Checkbox.Indicator checked={kept.compact} size="xs" />}
					onClick={() => setKept({ ...kept, compact: !kept.compact })}
				>
					{t("lists.compact")}
				</Menu.Item>
				<Menu.Divider />
				<Menu.Label>{t("lists.perPage")}</Menu.Label>
				{PER_PAGE.map((count) => (
					<Menu.Item
						key={count}
						role="menuitemradio"
						aria-checked={kept.perPage === count}
						leftSection={<Checkbox.Indicator checked={kept.perPage === count} size="xs" radius="xl" />}
						onClick={() => setKept({ ...kept, perPage: count })}
					>
						{count}
					</Menu.Item>
				))}
			</Menu.Dropdown>
		</Menu>
	);
}

interface PagerProps {
	from: number;
	count: number;
	total: number;
	previous: (() => void) | undefined;
	next: (() => void) | undefined;
}

function Pager({ from, count, total, previous, next }: PagerProps) {
	const { t, i18n } = useTranslation();
	const number = (value: number) => value.toLocaleString(i18n.language);
	return (
		<Group className={classes.pager} justify="space-between">
			<Text size="sm" c="dimmed" aria-live="polite">
				{t("lists.range", { from: number(from), to: number(from + count - 1), total: number(total) })}
			</Text>
			{(previous || next) && (
				<Group gap={4}>
					<ActionIcon variant="default" size="lg" disabled={!previous} onClick={previous} aria-label={t("lists.previous")}>
						<IconPrevious size={18} />
					</ActionIcon>
					<ActionIcon variant="default" size="lg" disabled={!next} onClick={next} aria-label={t("lists.next")}>
						<IconNext size={18} />
					</ActionIcon>
				</Group>
			)}
		</Group>
	);
}

// Two lines in one cell.
export function Twofold({ main, below }: { main: ReactNode; below?: ReactNode }) {
	return (
		<Stack gap={0}>
			<span>{main}</span>
			{below && (
				<Text size="xs" c="dimmed" component="span">
					{below}
				</Text>
			)}
		</Stack>
	);
}

export function YesNo({ value }: { value: boolean }) {
	const { t } = useTranslation();
	return value ? (
		<Text size="sm" component="span">
			{t("lists.yes")}
		</Text>
	) : (
		<Text size="sm" c="dimmed" component="span">
			<span aria-hidden>–</span>
			<VisuallyHidden>{t("lists.no")}</VisuallyHidden>
		</Text>
	);
}
