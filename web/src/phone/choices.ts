// Which microphone, speaker and ringing device this browser uses, and whether it shows notifications. Kept in this browser alone.
export interface PhoneChoices {
	microphone: string; // a device id; "" is the usual one
	speaker: string;
	ringer: string;
	clean: boolean; // echo and noise are taken away from what the microphone hears
	notify: boolean;
}

const KEY = "carillon.phone";
const usual: PhoneChoices = { microphone: "", speaker: "", ringer: "", clean: true, notify: false };

export function choicesRead(): PhoneChoices {
	try {
		return { ...usual, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<PhoneChoices>) };
	} catch {
		return usual;
	}
}

export function choicesKeep(choices: PhoneChoices): void {
	try {
		localStorage.setItem(KEY, JSON.stringify(choices));
	} catch {
		// a browser that keeps nothing: they hold until the page is left
	}
}

export const microphoneOf = ({ microphone, clean }: PhoneChoices): MediaTrackConstraints => ({
	...(microphone ? { deviceId: { ideal: microphone } } : {}),
	echoCancellation: clean,
	noiseSuppression: clean,
	autoGainControl: clean,
});
