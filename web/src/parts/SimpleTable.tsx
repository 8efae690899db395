// A table without search and sorting, for what is shown as it comes: newest first, or all there is.
import { Anchor, Paper, Skeleton, Table } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import classes from "./ListPage.module.css";

export interface SimpleColumn<T> {
	id: string;
	header: string;
	cell: (row: T) => ReactNode;
	numeric?: boolean;
}

interface SimpleTableProps<T> {
	label: string;
	columns: SimpleColumn<T>[];
	rows: T[] | undefined; // undefined: not here yet
	keyOf: (row: T) => string;
	hrefOf?: (row: T) => string; // of the first column
	children?: ReactNode; // below the rows
	above?: ReactNode;
}

export function SimpleTable<T>({ label, columns, rows, keyOf, hrefOf, children, above }: SimpleTableProps<T>) {
	return (
		<Paper className={classes.paper}>
			{above}
			<Table.ScrollContainer minWidth={0} className={classes.scroll} type="native">
				<Table className={classes.table} aria-label={label} aria-busy={!rows} highlightOnHover>
					<Table.Thead role="rowgroup">
						<Table.Tr role="row">
							{columns.map((each) => (
								<Table.Th key={each.id} role="columnheader">
									{each.header}
								</Table.Th>
							))}
						</Table.Tr>
					</Table.Thead>
					<Table.Tbody role="rowgroup">
						{!rows &&
							Array.from({ length: 5 }, (_, at) => (
								<Table.Tr key={at} role="row">
									<Table.Td role="cell" colSpan={99}>
										<Skeleton height={14} my={5} />
									</Table.Td>
								</Table.Tr>
							))}
						{rows?.map((row) => (
							<Table.Tr key={keyOf(row)} role="row">
								{columns.map((each, at) => (
									<Table.Td
										key={each.id}
										role="cell"
										data-label={each.header}
										data-main={(at === 0 && Boolean(hrefOf)) || undefined}
										className={each.numeric ? "numeric" : undefined}
									>
										{at === 0 && hrefOf ? (
											<Anchor component={Link} href={hrefOf(row)} className={classes.open}>
												{each.cell(row)}
											</Anchor>
										) : (
											each.cell(row)
										)}
									</Table.Td>
								))}
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			</Table.ScrollContainer>
			{children}
		</Paper>
	);
}
