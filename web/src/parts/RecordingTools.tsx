// A recording: listen to it, put another in its place, take it away.
import { Button, FileButton, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconUpload from "@tabler/icons-react/icons/IconUpload";
import IconListen from "@tabler/icons-react/icons/IconVolume";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem, request } from "../api/client";
import { useMayWrite } from "../api/session";
import { useConfirm } from "./Confirm";
import { useProblemSentence } from "./problem";

interface RecordingToolsProps {
	path: string; // of the recording: /prompts/en-press/recording
	name: string; // what it is of, for who hears the page
	heard: boolean; // there is something to listen to
	recorded: boolean; // it was uploaded
	removeLabel: string;
	removeText: string;
	changed: string; // the query that shows it
}

export function RecordingTools({ path, name, heard, recorded, removeLabel, removeText, changed }: RecordingToolsProps) {
	const { t } = useTranslation();
	const client = useQueryClient();
	const mayWrite = useMayWrite();
	const confirm = useConfirm();
	const sentence = useProblemSentence();
	const reset = useRef<() => void>(null);
	const [busy, setBusy] = useState(false);

	const act = async (work: () => Promise<unknown>, done: string) => {
		setBusy(true);
		try {
			await work();
			notifications.show({ message: `${name}: ${done}`, color: "teal" });
		} catch (error) {
			const said = error instanceof Problem && error.field[0] ? error.field[0].sentence : sentence(error);
			notifications.show({ message: `${name}: ${said}`, color: "red", autoClose: 10_000 });
		} finally {
			setBusy(false);
			reset.current?.();
			await client.invalidateQueries({ queryKey: [changed] });
		}
	};
	const listen = () =>
		void new Audio(`/api/v1${path}`).play().catch(() => notifications.show({ message: t("prompts.silent"), color: "red" }));
	const upload = (file: File | null) =>
		file && void act(() => request("PUT", path, { body: new Blob([file], { type: "audio/wav" }) }), t("prompts.saved"));
	const remove = async () => {
		if (await confirm({ title: `${removeLabel}: ${name}`, consequences: [removeText], button: removeLabel }))
			await act(() => request("DELETE", path), t("prompts.removed"));
	};
	return (
		<Group gap="xs">
			{heard && (
				<Button size="xs" variant="default" leftSection={<IconListen size={16} />} onClick={listen} aria-label={`${t("prompts.listen")}: ${name}`}>
					{t("prompts.listen")}
				</Button>
			)}
			{mayWrite && (
				<FileButton resetRef={reset} accept="audio/wav,audio/x-wav,.wav" onChange={upload} inputProps={{ "aria-label": `${t("prompts.upload")}: ${name}` }}>
					{(props) => (
						<Button {...props} size="xs" variant="default" loading={busy} leftSection={<IconUpload size={16} />} aria-label={`${t("prompts.upload")}: ${name}`}>
							{t("prompts.upload")}
						</Button>
					)}
				</FileButton>
			)}
			{mayWrite && recorded && (
				<Button size="xs" variant="subtle" color="red" onClick={() => void remove()} aria-label={`${removeLabel}: ${name}`}>
					{removeLabel}
				</Button>
			)}
		</Group>
	);
}
