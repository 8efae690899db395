// Finds a device to give to a user. One that somebody else has is shown with who that is, and cannot be taken from them here.
import { Combobox, Group, InputBase, Loader, ScrollArea, Stack, Text, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconPlus from "@tabler/icons-react/icons/IconPlus";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useList, type Device } from "../api/resources";
import { DeviceIcon } from "./DeviceState";

interface DevicePickerProps {
	userId: string | undefined;
	taken: readonly string[];
	onPick: (device: Device) => void;
}

// Several may share an external number; every other device has one holder.
function heldByAnother(device: Device, userId: string | undefined): boolean {
	return device.kind !== "external" && Boolean(device.holder) && device.holder?.user_id !== userId;
}

export function DevicePicker({ userId, taken, onPick }: DevicePickerProps) {
	const { t } = useTranslation();
	const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
	const [text, setText] = useState("");
	const [q] = useDebouncedValue(text, 200);
	const { data, isFetching } = useList("devices", { q: q || undefined, limit: 50, sort: "number" }, box.dropdownOpened);
	const devices = (data?.items ?? [])
		.filter((device) => !taken.includes(device.id))
		.sort((a, b) => Number(heldByAnother(a, userId)) - Number(heldByAnother(b, userId)));
	return (
		<Combobox
			store={box}
			onOptionSubmit={(id) => {
				const device = devices.find((each) => each.id === id);
				if (device) onPick(device);
				setText("");
				box.closeDropdown();
			}}
		>
			<Combobox.Target>
				<InputBase
					maw={420}
					label={t("ringPlan.add")}
					placeholder={t("ringPlan.addPlaceholder")}
					leftSection={<IconPlus size={16} />}
					rightSection={isFetching ? <Loader size={16} /> : <Combobox.Chevron />}
					rightSectionPointerEvents="none"
					value={text}
					maxLength={100}
					onChange={(event) => {
						setText(event.currentTarget.value);
						box.openDropdown();
						box.updateSelectedOptionIndex();
					}}
					onClick={() => box.openDropdown()}
					onFocus={() => box.openDropdown()}
					onBlur={() => box.closeDropdown()}
				/>
			</Combobox.Target>
			<Combobox.Dropdown>
				<Combobox.Options aria-label={t("ringPlan.add")}>
					<ScrollArea.Autosize mah={300} type="auto">
						{devices.map((device) => {
							const held = heldByAnother(device, userId);
							return (
								<Combobox.Option key={device.id} value={device.id} disabled={held}>
									<Group gap={10} wrap="nowrap">
										<DeviceIcon kind={device.kind} />
										<Stack gap={0}>
											<Text size="sm" fw={550}>
												{device.title || device.number}
											</Text>
											<Text size="xs" c="dimmed">
												{held
													? t("ringPlan.taken", { name: device.holder?.title ?? "", extension: device.holder?.extension ?? "" })
													: [device.title && device.number, device.description].filter(Boolean).join(" · ") ||
														t(`devices.kinds.${device.kind}`)}
											</Text>
										</Stack>
									</Group>
								</Combobox.Option>
							);
						})}
						{data && devices.length === 0 && <Combobox.Empty>{t(q ? "lists.nothingFound" : "ringPlan.noDevices")}</Combobox.Empty>}
					</ScrollArea.Autosize>
				</Combobox.Options>
			</Combobox.Dropdown>
		</Combobox>
	);
}
