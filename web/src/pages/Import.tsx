// Manage → Import: a CSV file, tried first, with whatever is wrong named by row and column, and then taken as a whole.
import { Alert, Button, FileInput, Group, Paper, Progress, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import IconRight from "@tabler/icons-react/icons/IconCheck";
import IconFile from "@tabler/icons-react/icons/IconFileSpreadsheet";
import IconAlert from "@tabler/icons-react/icons/IconAlertTriangle";
import { useQueryClient } from "@tanstack/react-query";
import i18next from "i18next";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem, request, type Schemas } from "../api/client";
import { csvParts, csvRead, csvTwice } from "../parts/csv";
import { ExportButton, type CsvTable } from "../parts/ExportButton";
import { PageHead } from "../parts/PageHead";
import { problemSentence, useProblemSentence } from "../parts/problem";
import { SimpleTable } from "../parts/SimpleTable";

type Result = Schemas["ImportResult"];
const tables: readonly CsvTable[] = ["users", "devices", "dids", "ring-plans"];
const keys: Record<CsvTable, string> = { users: "name", devices: "number", dids: "number", "ring-plans": "user" };
const ROWS_AT_ONCE = 5000, BYTES_AT_ONCE = 1_000_000; // what one request takes, all or none
const PART_ROWS = 250, PART_BYTES = 250_000; // of more: whoever registers meanwhile waits for one part at most
const SHOWN = 200;

// One after the other; what was counted, and each problem by its row in the whole file. A try goes on after problems, an import does not.
async function sendParts(table: CsvTable, text: string, dryRun: boolean, progress: (done: number, of: number) => void): Promise<Result> {
	const file = csvRead(text, keys[table]);
	const large = file.records.length > ROWS_AT_ONCE || new Blob([text]).size > BYTES_AT_ONCE;
	const parts = large ? csvParts(file, PART_ROWS, PART_BYTES, table === "ring-plans") : [{ text, rows: file.records.length, before: 0 }];
	const total: Result = { dry_run: dryRun, rows: 0, created: 0, updated: 0, unchanged: 0, passwords: [] };
	const wrong: Problem["problems"] = large && table !== "ring-plans"
		? csvTwice(file).map(({ row, earlier }) => ({ row, column: keys[table], code: "not_unique", sentence: i18next.t("csv.twice", { row: earlier }) }))
		: [];
	for (const part of wrong.length && !dryRun ? [] : parts) {
		if (large) progress(part.before, file.records.length);
		try {
			const body = new Blob([part.text], { type: "text/csv" });
			const { data } = await request<Result>("POST", `/import/${table}`, { query: { dry_run: dryRun }, body });
			for (const count of ["rows", "created", "updated", "unchanged"] as const) total[count] += data[count];
			total.passwords.push(...data.passwords.map((each) => ({ ...each, row: each.row + part.before })));
		} catch (problem) {
			if (!large) throw problem;
			const refused = problem instanceof Problem ? problem.problems : [];
			wrong.push(...refused.map((each) => ({ ...each, row: (each.row ?? 0) + part.before })));
			if (!dryRun || refused.length === 0) throw new Stopped(refused.length ? refusal(wrong) : problem, part.before ? part.before + 1 : 0, total);
			if (wrong.length >= SHOWN) break;
		}
	}
	if (wrong.length) throw refusal(wrong);
	return total;
}

const refusal = (problems: Problem["problems"]) => new Problem({ status: 422, code: "rows_refused", detail: "", field: [], problems: problems.slice(0, SHOWN) });

// An import of several parts that got to this row, 0: to none.
class Stopped extends Error {
	constructor(readonly problem: unknown, readonly row: number, readonly result: Result) {
		super();
	}
}

function Refused({ problem, partly }: { problem: unknown; partly: boolean }) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const wrong = problem instanceof Problem ? problem.problems : [];
	if (wrong.length === 0)
		return (
			<Alert color="red" variant="light" role="alert" icon={<IconAlert />} title={t("csv.wrongFile")}>
				{sentence(problem)}
			</Alert>
		);
	return (
		<Stack>
			<Alert color="red" variant="light" role="alert" icon={<IconAlert />} title={t(partly ? "csv.wrongStill" : "csv.wrong", { count: wrong.length })} />
			<SimpleTable
				label={t("csv.problem")}
				rows={wrong}
				keyOf={(each) => `${each.row} ${each.column} ${each.code}`}
				columns={[
					{ id: "row", header: t("csv.row"), numeric: true, cell: (each) => each.row },
					{ id: "column", header: t("csv.column"), cell: (each) => each.column ?? t("csv.wholeRow") },
					{ id: "problem", header: t("csv.problem"), cell: problemSentence },
				]}
			/>
		</Stack>
	);
}

function Passwords({ passwords }: { passwords: Result["passwords"] }) {
	const { t } = useTranslation();
	const save = () => {
		const text = ["number,sip_password", ...passwords.map((each) => `${each.number},${each.sip_password}`), ""].join("\r\n");
		const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
		Object.assign(document.createElement("a"), { href: url, download: "passwords.csv" }).click();
		URL.revokeObjectURL(url);
	};
	return (
		<Paper className="card">
			<Group justify="space-between" mb="xs">
				<Text fw={600}>{t("csv.passwords")}</Text>
				<Button size="xs" variant="default" onClick={save}>
					{t("csv.save")}
				</Button>
			</Group>
			<Table aria-label={t("csv.passwords")}>
				<Table.Thead>
					<Table.Tr>
						<Table.Th>{t("csv.number")}</Table.Th>
						<Table.Th>{t("csv.password")}</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{passwords.slice(0, SHOWN).map((each) => (
						<Table.Tr key={each.row}>
							<Table.Td className="numeric">{each.number}</Table.Td>
							<Table.Td>
								<code data-secret>{each.sip_password}</code>
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
			{passwords.length > SHOWN && (
				<Text size="sm" c="dimmed" mt="xs">
					{t("csv.more", { count: passwords.length - SHOWN })}
				</Text>
			)}
		</Paper>
	);
}

export default function Import() {
	const { t } = useTranslation();
	const client = useQueryClient();
	const [table, setTable] = useState<CsvTable>("users");
	const [file, setFile] = useState<File | null>(null);
	const [result, setResult] = useState<Result | null>(null);
	const [problem, setProblem] = useState<unknown>(null);
	const [busy, setBusy] = useState<"try" | "import" | null>(null);

	const [progress, setProgress] = useState<{ done: number; of: number } | null>(null);
	const [stoppedAt, setStoppedAt] = useState(0);

	const forget = () => {
		setResult(null);
		setStoppedAt(0);
		setProblem(null);
	};
	const send = async (dryRun: boolean) => {
		if (!file) return;
		forget();
		setBusy(dryRun ? "try" : "import");
		try {
			// Read now: a file that was saved again since it was chosen cannot be sent.
			setResult(await sendParts(table, await file.text(), dryRun, (done, of) => setProgress({ done, of })));
		} catch (error) {
			setProblem(error instanceof Stopped ? error.problem : error);
			if (error instanceof Stopped && !dryRun) {
				setStoppedAt(error.row);
				setResult(error.result);
			}
		} finally {
			setBusy(null);
			setProgress(null);
			if (!dryRun) await client.invalidateQueries();
		}
	};
	const number = (value: number) => value.toLocaleString(i18next.language);
	const counts = result && { created: result.created, updated: result.updated, unchanged: result.unchanged };
	return (
		<>
			<PageHead title={t("shell.import")} text={t("csv.text")} />
			<Stack>
				<Paper className="card">
					<Stack align="flex-start">
						<Stack gap={6} maw="100%">
							<Text fw={500} size="sm" id="csv-kind">
								{t("csv.what")}
							</Text>
							<SegmentedControl
								aria-labelledby="csv-kind"
								value={table}
								onChange={(value) => {
									setTable(value as CsvTable);
									forget();
								}}
								data={tables.map((value) => ({ value, label: t(`csv.kinds.${value}`) }))}
							/>
							<Text size="sm" c="dimmed">
								{t(`csv.hints.${table}`)} {t("csv.exampleHint")}
							</Text>
						</Stack>
						<FileInput
							w={360}
							maw="100%"
							label={t("csv.file")}
							placeholder={t("csv.choose")}
							accept=".csv,.tsv,.txt,text/csv"
							leftSection={<IconFile size={18} />}
							value={file}
							onChange={(chosen) => {
								setFile(chosen);
								forget();
							}}
						/>
						<Group>
							<Button variant="default" disabled={!file || busy !== null} loading={busy === "try"} onClick={() => void send(true)}>
								{t("csv.try")}
							</Button>
							<Button disabled={!result?.dry_run || busy !== null} loading={busy === "import"} onClick={() => void send(false)}>
								{t("csv.import")}
							</Button>
							<ExportButton of={table} label={t("csv.example")} />
						</Group>
						{progress && (
							<Stack gap={4} w="100%">
								<Progress.Root size="lg">
									<Progress.Section value={(100 * progress.done) / progress.of} aria-label={t(busy === "try" ? "csv.try" : "csv.import")} animated />
								</Progress.Root>
								<Text size="sm" className="numeric">
									{t("csv.progress", { done: number(progress.done), of: number(progress.of) })}
								</Text>
							</Stack>
						)}
					</Stack>
				</Paper>
				<div aria-live="polite">
					{problem !== null && <Refused problem={problem} partly={stoppedAt > 0} />}
					{stoppedAt > 0 && (
						<Alert color="yellow" variant="light" icon={<IconAlert />} mt="md">
							{t("csv.partly", { row: number(stoppedAt) })}
						</Alert>
					)}
					{counts && (
						<Alert
							color={result.dry_run ? "petrol" : "teal"}
							variant="light"
							icon={<IconRight />}
							title={t(result.dry_run ? "csv.would" : "csv.done")}
						>
							{t(result.dry_run ? "csv.wouldText" : "csv.doneText", counts)}
						</Alert>
					)}
				</div>
				{result && !result.dry_run && result.passwords.length > 0 && <Passwords passwords={result.passwords} />}
			</Stack>
		</>
	);
}
