// System → Prompts: what is said to people who answer, piece by piece, each to be listened to and replaced.
import { Badge, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { request, type Schemas } from "../../api/client";
import { PageHead } from "../../parts/PageHead";
import { RecordingTools } from "../../parts/RecordingTools";
import { SimpleTable } from "../../parts/SimpleTable";
import { Failure } from "../../parts/States";
import { moment } from "../../parts/time";

type Piece = Schemas["PromptPiece"];
const languages = ["en", "cs"] as const;

export default function Prompts() {
	const { t, i18n } = useTranslation();
	const [language, setLanguage] = useState<Piece["language"]>(i18n.language === "cs" ? "cs" : "en");
	const { data, error, refetch } = useQuery({
		queryKey: ["prompts"],
		queryFn: async ({ signal }) => (await request<{ items: Piece[] }>("GET", "/prompts", { signal })).data.items,
	});
	if (error) return <Failure error={error} title={t("forms.failed")} retry={() => void refetch()} />;
	return (
		<>
			<PageHead title={t("shell.prompts")} text={t("prompts.text")}>
				<SegmentedControl
					aria-label={t("settings.promptLanguage")}
					data={languages.map((value) => ({ value, label: t(`settings.languages.${value}`) }))}
					value={language}
					onChange={(value) => setLanguage(value as Piece["language"])}
				/>
			</PageHead>
			<SimpleTable
				label={t("shell.prompts")}
				rows={data?.filter((piece) => piece.language === language)}
				keyOf={(piece) => piece.id}
				columns={[
					{ id: "text", header: t("prompts.says"), cell: (piece) => piece.text },
					{
						id: "recorded",
						header: t("prompts.heard"),
						cell: (piece) =>
							piece.recorded_at ? (
								<Badge variant="light" tt="none">{t("prompts.own", { when: moment(piece.recorded_at) })}</Badge>
							) : (
								t("prompts.shipped")
							),
					},
					{ id: "length", header: t("prompts.length"), numeric: true, cell: (piece) => t("prompts.seconds", { seconds: ((piece.duration_ms ?? 0) / 1000).toFixed(1), most: piece.longest_s }) },
					{
						id: "tools",
						header: t("prompts.recording"),
						cell: (piece) => (
							<RecordingTools
								path={`/prompts/${piece.id}/recording`}
								name={piece.text}
								heard={piece.duration_ms !== null}
								recorded={piece.recorded_at !== null}
								removeLabel={t("prompts.restore")}
								removeText={t("prompts.restoreText")}
								changed="prompts"
							/>
						),
					},
				]}
			/>
		</>
	);
}
