// The phone as the page has it: this tab's, while it is the one that is the phone, for whoever holds a device of kind webrtc.
import i18next from "i18next";
import { useEffect, useMemo, useReducer, useRef, useState } from "react";
import { useMe, type Me } from "../api/me";
import { choicesKeep, choicesRead, type PhoneChoices } from "./choices";
import { Driver } from "./driver";
import { audioContext, toneStart } from "./sound";
import { inCall, next, ringing, silent, type Phone } from "./state";
import { placeTake, type Place } from "./tabs";

export interface UsedPhone {
	phone: Phone;
	device: Me["devices"][number] | undefined; // the browser device that is held
	driver: Driver | null; // null: this tab is not the phone
	driverOf: (id: string) => Driver | undefined; // of a call: a device that was given back keeps its calls
	comeHere: () => void; // asks the other tab for it
	otherIsBusy: boolean; // it was asked, and has a call
	choices: PhoneChoices;
	choose: (change: Partial<PhoneChoices>) => void;
}

const OVER_SHOWN_MS = 5000;
const mayListen = () => Boolean(window.isSecureContext && navigator.mediaDevices && navigator.locks);

export function usePhone(): UsedPhone {
	const { data: me } = useMe();
	const device = me?.devices.find((each) => each.kind === "webrtc");
	const [phone, happens] = useReducer(next, silent);
	const [driver, setDriver] = useState<Driver | null>(null);
	const [otherIsBusy, setOtherIsBusy] = useState(false);
	const [choices, setChoices] = useState(choicesRead);
	const place = useRef<Place | null>(null);
	const drivers = useRef(new Set<Driver>());
	const latest = useRef(phone);
	latest.current = phone;

	useEffect(() => {
		if (!device?.id) return;
		if (!mayListen()) {
			happens({ kind: "line", line: "off", why: "insecure" });
			return;
		}
		let own: Driver | null = null;
		const leave = () => {
			own?.leave();
			own = null;
			setDriver(null);
		};
		place.current = placeTake({
			mine() {
				own = new Driver(happens, (gone) => drivers.current.delete(gone));
				drivers.current.add(own);
				setDriver(own);
				setOtherIsBusy(false);
				void own.start();
			},
			notMine() {
				leave();
				happens({ kind: "line", line: "elsewhere" });
			},
			busy: () => setOtherIsBusy(true),
			mayGo: () => !inCall(latest.current),
		});
		return () => {
			place.current?.leave();
			place.current = null;
			leave();
			happens({ kind: "line", line: "off" });
		};
	}, [device?.id]);

	// Somebody signs out, or the page goes: so do the calls.
	useEffect(() => {
		const end = () => drivers.current.forEach((each) => each.end());
		window.addEventListener("pagehide", end);
		return () => {
			window.removeEventListener("pagehide", end);
			end();
		};
	}, []);
	const talks = inCall(phone);
	useEffect(() => {
		if (!talks) return;
		const ask = (event: BeforeUnloadEvent) => event.preventDefault();
		window.addEventListener("beforeunload", ask);
		return () => window.removeEventListener("beforeunload", ask);
	}, [talks]);

	// What is over stays in sight for a moment.
	const over = phone.calls.filter((call) => call.stage === "over").map((call) => call.id).join(" ");
	useEffect(() => {
		if (!over) return;
		const timer = setTimeout(() => over.split(" ").forEach((id) => happens({ kind: "put_away", id })), OVER_SHOWN_MS);
		return () => clearTimeout(timer);
	}, [over]);

	useTones(phone, choices);
	const rings = ringing(phone);
	useRingingOutside(rings?.name || rings?.number, choices.notify);
	useAudioWakes();

	return useMemo<UsedPhone>(
		() => ({
			phone,
			device,
			driver,
			driverOf: (id) => [...drivers.current].find((each) => each.has(id)),
			comeHere: () => place.current?.ask(),
			otherIsBusy,
			choices,
			choose(change) {
				const chosen = { ...choices, ...change };
				choicesKeep(chosen);
				setChoices(chosen);
				for (const each of drivers.current) {
					if (change.speaker !== undefined) each.speakerUse(change.speaker);
					if (change.microphone !== undefined || change.clean !== undefined) void each.microphoneUse().catch(() => undefined);
				}
			},
		}),
		[phone, device, driver, otherIsBusy, choices],
	);
}

function useTones(phone: Phone, choices: PhoneChoices): void {
	const rings = Boolean(ringing(phone));
	const talks = phone.calls.some((call) => call.stage === "talking");
	const dials = phone.calls.some((call) => call.stage === "calling" && !call.early);
	const tone = rings ? (talks ? "waiting" : "ring") : dials && !talks ? "ringback" : null;
	const sink = tone === "ring" ? choices.ringer : choices.speaker;
	useEffect(() => (tone ? toneStart(tone, sink) : undefined), [tone, sink]);
}

// A page that is not looked at says that it rings by its title, and by a notification where that is wanted.
function useRingingOutside(who: string | undefined, notify: boolean): void {
	useEffect(() => {
		if (!who) return;
		const title = document.title;
		let shown = false;
		const blink = () => {
			shown = !shown && document.hidden;
			document.title = shown ? `☎ ${who}` : title;
		};
		blink();
		const blinking = setInterval(blink, 900);
		const wanted = notify && document.hidden && "Notification" in window && Notification.permission === "granted";
		const notification = wanted ? new Notification(i18next.t("phone.ringsFrom", { name: who }), { tag: "carillon-phone", requireInteraction: true, icon: "/favicon.svg" }) : null;
		if (notification)
			notification.onclick = () => {
				window.focus();
				notification.close();
			};
		return () => {
			clearInterval(blinking);
			document.title = title;
			notification?.close();
		};
	}, [who, notify]);
}

// Browsers let a page sound only once somebody has touched it.
function useAudioWakes(): void {
	useEffect(() => {
		const wake = () => void audioContext();
		window.addEventListener("pointerdown", wake, { once: true });
		window.addEventListener("keydown", wake, { once: true });
		return () => {
			window.removeEventListener("pointerdown", wake);
			window.removeEventListener("keydown", wake);
		};
	}, []);
}

// "denied" once the person, or an administrator of the browser, has said no.
export function useMicrophonePermission(): PermissionState | null {
	const [state, setState] = useState<PermissionState | null>(null);
	useEffect(() => {
		let status: PermissionStatus | null = null;
		const read = () => setState(status?.state ?? null);
		navigator.permissions
			?.query({ name: "microphone" as PermissionName })
			.then((found) => {
				status = found;
				found.addEventListener("change", read);
				read();
			})
			.catch(() => undefined); // not every browser tells
		return () => status?.removeEventListener("change", read);
	}, []);
	return state;
}
