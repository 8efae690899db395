// Downloads a table as CSV that can be imported again; with semicolons where spreadsheets want them.
import { Button } from "@mantine/core";
import IconExport from "@tabler/icons-react/icons/IconDownload";
import { useTranslation } from "react-i18next";
import { queryText } from "../api/client";
import type { DeviceKind } from "../api/resources";

export type CsvTable = "users" | "devices" | "dids" | "ring-plans";

export function ExportButton({ of, kind, label }: { of: CsvTable; kind?: DeviceKind; label?: string }) {
	const { t, i18n } = useTranslation();
	const delimiter = i18n.language === "cs" ? "semicolon" : "comma";
	return (
		<Button
			component="a"
			href={`/api/v1/export/${of}${queryText({ delimiter, kind })}`}
			download={`${kind ?? of}.csv`}
			variant="default"
			leftSection={<IconExport size={18} />}
		>
			{label ?? t("lists.export")}
		</Button>
	);
}
