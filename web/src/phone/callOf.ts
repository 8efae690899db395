import type { Call } from "../api/events";
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
