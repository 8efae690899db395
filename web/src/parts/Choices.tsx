// Language and colours: for anybody, signed in or not.
import { ActionIcon, Group, Menu, useMantineColorScheme } from "@mantine/core";
import IconCheck from "@tabler/icons-react/icons/IconCheck";
import IconDark from "@tabler/icons-react/icons/IconMoon";
import IconLanguage from "@tabler/icons-react/icons/IconLanguage";
import IconLight from "@tabler/icons-react/icons/IconSun";
import { useTranslation } from "react-i18next";
import { languageSet, languages, type Language } from "../words";

export function Choices() {
	const { t, i18n } = useTranslation();
	const { colorScheme, setColorScheme } = useMantineColorScheme();
	const chosen = <IconCheck size={16} aria-hidden />;
	return (
		<Group gap={4} wrap="nowrap">
			<Menu position="bottom-end" withinPortal={false}>
				<Menu.Target>
					<ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("shell.language")}>
						<IconLanguage size={20} />
					</ActionIcon>
				</Menu.Target>
				<Menu.Dropdown>
					{(Object.keys(languages) as Language[]).map((language) => (
						<Menu.Item
							key={language}
							lang={language}
							onClick={() => languageSet(language)}
							rightSection={i18n.language === language && chosen}
						>
							{languages[language]}
						</Menu.Item>
					))}
				</Menu.Dropdown>
			</Menu>
			<Menu position="bottom-end" withinPortal={false}>
				<Menu.Target>
					<ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("shell.scheme")}>
						<IconLight size={20} className="mantine-light-hidden" />
						<IconDark size={20} className="mantine-dark-hidden" />
					</ActionIcon>
				</Menu.Target>
				<Menu.Dropdown>
					{(["light", "dark", "auto"] as const).map((scheme) => (
						<Menu.Item
							key={scheme}
							onClick={() => setColorScheme(scheme)}
							rightSection={colorScheme === scheme && chosen}
						>
							{t(`shell.${scheme}`)}
						</Menu.Item>
					))}
				</Menu.Dropdown>
			</Menu>
		</Group>
	);
}
