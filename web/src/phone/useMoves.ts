// The other devices of one's own that a call can go on at: the server rings one, and takes the call there.
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { request } from "../api/client";
import { useCalls, type Call } from "../api/events";
import { useMe } from "../api/me";
import { useProblemSentence } from "../parts/problem";
import type { PhoneCall } from "./state";

// Which of the server's calls this one is: the one that the device takes part in on the same side, with the same other end; of several
// the one that was answered nearest to when we heard of it.
export function callOf(calls: Call[], device: string, mine: PhoneCall): Call | undefined {
	const leg = (call: Call) => call.legs.find((each) => each.device_id === device && each.state === "talking");
	const side = calls.filter((call) => call.state === "talking" && (mine.incoming ? leg(call) : call.caller_device_id === device));
	const apart = (call: Call) => Math.abs(Date.parse((mine.incoming ? leg(call)?.answered_at : call.answered_at) ?? "") - (mine.talkingSince ?? 0)) || 0;
	const same = side.filter((call) => (mine.incoming ? call.caller_number === mine.number : call.dialled === mine.number || call.called === mine.number));
	return (same.length > 0 ? same : side).sort((a, b) => apart(a) - apart(b))[0];
}

export function useMoves(call: PhoneCall, device: string | undefined) {
	const { t } = useTranslation();
	const sentence = useProblemSentence();
	const { data: me } = useMe();
	const own = me?.devices.filter((each) => each.id !== device && (each.registered || each.kind === "external")) ?? [];
	const { data: calls = [] } = useCalls(false); // one's own come as events
	const move = async (to: string) => {
		const say = (message: string) => notifications.show({ message, color: "red" });
		const chosen = device ? callOf(calls, device, call) : undefined;
		try {
			if (chosen) await request("POST", `/calls/${chosen.id}/move`, { body: { device_id: to } });
			else say(t("phone.moveNothing"));
		} catch (error) {
			say(sentence(error));
		}
	};
	return { own, move };
}
