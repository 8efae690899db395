// Deleting: asks first and names the consequences; what somebody has is deleted only after they are named as well.
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { Problem, request } from "../api/client";
import { useRefresh, type Resource, type Resources } from "../api/resources";
import { useConfirm } from "./Confirm";
import { problemSentence } from "./problem";

export interface RemoveWords<T> {
	title: (rows: T[]) => string;
	consequences: (rows: T[]) => string[];
	nameOf: (row: T) => string;
}

export function useRemove<R extends Resource>(resource: R, words: RemoveWords<Resources[R]>) {
	const { t } = useTranslation();
	const confirm = useConfirm();
	const refresh = useRefresh();

	const removeOne = async (row: Resources[R], release: boolean): Promise<boolean> => {
		try {
			await request("DELETE", `/${resource}/${row.id}`, { query: { release: release || undefined } });
			return true;
		} catch (error) {
			if (!(error instanceof Problem)) throw error;
			if (error.code === "not_found") return true; // it is what was wanted
			const said = problemSentence({ code: error.code, sentence: error.message });
			if (error.code === "in_use" && !release)
				return (
					(await confirm({ title: words.title([row]), text: said, consequences: words.consequences([row]), button: t("lists.delete") })) &&
					removeOne(row, true)
				);
			notifications.show({ message: `${words.nameOf(row)}: ${said}`, color: "red", autoClose: 10_000 });
			return false;
		}
	};

	return async (rows: Resources[R][]): Promise<boolean> => {
		const agreed = await confirm({ title: words.title(rows), consequences: words.consequences(rows), button: t("lists.delete") });
		if (!agreed) return false;
		let gone = 0;
		for (const row of rows) if (await removeOne(row, false)) gone++;
		await refresh(resource);
		const [first] = rows;
		if (gone && first)
			notifications.show({
				message: gone === 1 ? t("lists.deleted", { name: words.nameOf(first) }) : t("lists.deleted_many", { count: gone }),
				color: "teal",
			});
		return gone === rows.length;
	};
}
