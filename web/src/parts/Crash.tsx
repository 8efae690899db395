// What is shown when a page throws instead of drawing.
import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Message } from "./States";

function Broken() {
	const { t } = useTranslation();
	return (
		<Message title={t("shell.crashed")} text={t("shell.crashedText")}>
			<Button onClick={() => location.reload()}>{t("shell.reload")}</Button>
		</Message>
	);
}

export class Crash extends Component<{ children: ReactNode }, { broken: boolean }> {
	override state = { broken: false };
	static getDerivedStateFromError() {
		return { broken: true };
	}
	override render() {
		return this.state.broken ? <Broken /> : this.props.children;
	}
}
