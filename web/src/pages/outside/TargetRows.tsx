// The targets of a trunk, a row each.
import { ActionIcon, Button, Group, Input, NumberInput, Stack, TextInput } from "@mantine/core";
import IconAdd from "@tabler/icons-react/icons/IconPlus";
import IconRemove from "@tabler/icons-react/icons/IconTrash";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { rowsOf, textOf, type TargetRow } from "./targets";

const MOST = 8;

interface TargetRowsProps {
	value: string;
	set: (text: string) => void;
	error: string | undefined;
	locked: boolean;
}

export function TargetRows({ value, set, error, locked }: TargetRowsProps) {
	const { t } = useTranslation();
	const [rows, setRows] = useState<TargetRow[]>(() => rowsOf(value));
	// Somebody else's change, or one taken back: rows that are still empty are no change.
	const shown = textOf(rows) === value ? rows : rowsOf(value);
	const change = (next: TargetRow[]) => {
		setRows(next);
		set(textOf(next));
	};
	const edit = (at: number, with_: Partial<TargetRow>) => change(shown.map((row, index) => (index === at ? { ...row, ...with_ } : row)));
	return (
		<Input.Wrapper label={t("outside.targets")} description={t("outside.targetsHint")} error={error} inputWrapperOrder={["label", "description", "input", "error"]} mb="md">
			<Stack gap="xs" mt="xs">
				{shown.map((row, at) => (
					<Group key={at} gap="xs" wrap="nowrap" align="flex-end">
						<TextInput
							flex={1}
							miw={120}
							label={t("outside.targetHost")}
							placeholder="sbc1.example.com:5060"
							maxLength={253}
							autoComplete="off"
							readOnly={locked}
							error={Boolean(error)}
							value={row.place}
							onChange={(event) => edit(at, { place: event.currentTarget.value })}
						/>
						<NumberInput
							w={90}
							label={t("outside.priority")}
							min={0}
							max={65535}
							allowDecimal={false}
							clampBehavior="blur"
							readOnly={locked}
							value={row.priority}
							onChange={(next) => edit(at, { priority: Number(next) || 0 })}
						/>
						<NumberInput
							w={90}
							label={t("outside.weight")}
							min={0}
							max={65535}
							allowDecimal={false}
							clampBehavior="blur"
							readOnly={locked}
							value={row.weight}
							onChange={(next) => edit(at, { weight: Number(next) || 0 })}
						/>
						<ActionIcon
							variant="subtle"
							color="gray"
							size="lg"
							disabled={locked}
							aria-label={t("outside.targetRemove", { name: row.place })}
							onClick={() => change(shown.filter((_, index) => index !== at))}
						>
							<IconRemove size={18} />
						</ActionIcon>
					</Group>
				))}
				{!locked && shown.length < MOST && (
					<Group>
						<Button variant="default" size="xs" leftSection={<IconAdd size={16} />} onClick={() => change([...shown, { place: "", priority: 0, weight: 0 }])}>
							{t("outside.targetAdd")}
						</Button>
					</Group>
				)}
			</Stack>
		</Input.Wrapper>
	);
}
