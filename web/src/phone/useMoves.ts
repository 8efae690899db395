// The other devices of one's own that a call can go on at: the server rings one, and takes the call there.
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { request } from "../api/client";
import { useKnownCalls } from "../api/events";
import { useMe } from "../api/me";
import { useProblemSentence } from "../parts/problem";
import { callOf } from "./callOf";
import type { PhoneCall } from "./state";

export function useMoves(call: PhoneCall, device: string | undefined) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const { data: me } = useMe();
	const own = me?.devices.filter((each) => each.id !== device && (each.registered || each.kind === "external")) ?? [];
	const calls = useKnownCalls();
	const move = async (to: string) => {
		const say = (message: string) => notifications.show({ message, color: "red" });
		const chosen = device ? callOf(calls(), device, call) : undefined;
		try {
			if (chosen) await request("POST", `/calls/${chosen.id}/move`, { body: { device_id: to } });
			else say(t("phone.moveNothing"));
		} catch (error) {
			say(sentence(error));
		}
	};
	return { own, move };
}
