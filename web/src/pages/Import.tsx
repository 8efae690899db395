// Manage → Import: a CSV file, tried first, with whatever is wrong named by row and column, and then taken as a whole.
import { Alert, Button, FileInput, Group, Paper, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import IconRight from "@tabler/icons-react/icons/IconCheck";
import IconFile from "@tabler/icons-react/icons/IconFileSpreadsheet";
import IconAlert from "@tabler/icons-react/icons/IconAlertTriangle";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem, request, type Schemas } from "../api/client";
import { ExportButton, type CsvTable } from "../parts/ExportButton";
import { PageHead } from "../parts/PageHead";
import { problemSentence, useProblemSentence } from "../parts/problem";
import { SimpleTable } from "../parts/SimpleTable";

type Result = Schemas["ImportResult"];
const tables: readonly CsvTable[] = ["users", "devices", "dids", "ring-plans"];

function Refused({ problem }: { problem: unknown }) {
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
			<Alert color="red" variant="light" role="alert" icon={<IconAlert />} title={t("csv.wrong", { count: wrong.length })} />
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
	return (
		<Paper className="card">
			<Text fw={600} mb="xs">
				{t("csv.passwords")}
			</Text>
			<Table aria-label={t("csv.passwords")}>
				<Table.Thead>
					<Table.Tr>
						<Table.Th>{t("csv.number")}</Table.Th>
						<Table.Th>{t("csv.password")}</Table.Th>
					</Table.Tr>
				</Table.Thead>
				<Table.Tbody>
					{passwords.map((each) => (
						<Table.Tr key={each.row}>
							<Table.Td className="numeric">{each.number}</Table.Td>
							<Table.Td>
								<code data-secret>{each.sip_password}</code>
							</Table.Td>
						</Table.Tr>
					))}
				</Table.Tbody>
			</Table>
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

	const forget = () => {
		setResult(null);
		setProblem(null);
	};
	const send = async (dryRun: boolean) => {
		if (!file) return;
		forget();
		setBusy(dryRun ? "try" : "import");
		try {
			// Read now: a file that was saved again since it was chosen cannot be sent.
			const body = new Blob([await file.arrayBuffer()], { type: "text/csv" });
			const answer = await request<Result>("POST", `/import/${table}`, { query: { dry_run: dryRun }, body });
			setResult(answer.data);
			if (!dryRun) await client.invalidateQueries();
		} catch (error) {
			setProblem(error);
		} finally {
			setBusy(null);
		}
	};
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
					</Stack>
				</Paper>
				<div aria-live="polite">
					{problem !== null && <Refused problem={problem} />}
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
