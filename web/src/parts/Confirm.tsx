// Asks before what cannot be undone, and names the consequences.
import { Button, Group, List, Modal, Stack, Text } from "@mantine/core";
import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

export interface Question {
	title: string;
	text?: ReactNode;
	consequences?: string[];
	button: string;
	harmless?: boolean;
}

const Ask = createContext<(question: Question) => Promise<boolean>>(() => Promise.resolve(false));

export function useConfirm() {
	return useContext(Ask);
}

export function ConfirmProvider({ children }: { children: ReactNode }) {
	const { t } = useTranslation();
	const [question, setQuestion] = useState<Question | null>(null);
	const [opened, setOpened] = useState(false);
	const answer = useRef<(yes: boolean) => void>(() => undefined);
	const ask = useCallback((asked: Question) => {
		setQuestion(asked);
		setOpened(true);
		return new Promise<boolean>((resolve) => {
			answer.current = resolve;
		});
	}, []);
	const say = (yes: boolean) => {
		setOpened(false);
		answer.current(yes);
	};
	return (
		<Ask.Provider value={ask}>
			{children}
			<Modal
				opened={opened}
				onClose={() => say(false)}
				title={<Text fw={650}>{question?.title}</Text>}
				closeButtonProps={{ "aria-label": t("forms.close") }}
			>
				{question && (
					<Stack gap="md">
						{question.text && <Text size="sm">{question.text}</Text>}
						{question.consequences && question.consequences.length > 0 && (
							<List size="sm" spacing={6}>
								{question.consequences.map((each) => (
									<List.Item key={each}>{each}</List.Item>
								))}
							</List>
						)}
						<Group justify="flex-end">
							<Button variant="default" onClick={() => say(false)} data-autofocus>
								{t("forms.cancel")}
							</Button>
							<Button color={question.harmless ? undefined : "red.8"} onClick={() => say(true)}>
								{question.button}
							</Button>
						</Group>
					</Stack>
				)}
			</Modal>
		</Ask.Provider>
	);
}
