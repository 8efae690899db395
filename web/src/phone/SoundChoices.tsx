// Which microphone, speaker and ringing device the phone uses, tried out on the spot.
import { Button, Group, NativeSelect, Stack, Switch, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { microphoneOf } from "./choices";
import { Meter } from "./pieces";
import { toneStart } from "./sound";
import type { UsedPhone } from "./usePhone";

const RING_TRIED_MS = 2500;

function useAudioDevices() {
	const client = useQueryClient();
	useEffect(() => {
		const again = () => void client.invalidateQueries({ queryKey: ["audio-devices"] });
		navigator.mediaDevices?.addEventListener("devicechange", again);
		return () => navigator.mediaDevices?.removeEventListener("devicechange", again);
	}, [client]);
	return useQuery({
		queryKey: ["audio-devices"],
		queryFn: () => navigator.mediaDevices.enumerateDevices(),
		enabled: Boolean(navigator.mediaDevices),
		staleTime: 0,
	});
}

// The microphone, opened for as long as it is tried.
function TryMicrophone({ used }: { used: UsedPhone }) {
	const { t } = useTranslation();
	const client = useQueryClient();
	const [tried, setTried] = useState(false);
	const [stream, setStream] = useState<MediaStream | null>(null);
	const [failed, setFailed] = useState(false);
	const { choices } = used;
	useEffect(() => {
		if (!tried) return;
		let opened: MediaStream | null = null;
		let over = false;
		navigator.mediaDevices
			.getUserMedia({ audio: microphoneOf(choices) })
			.then((found) => {
				opened = found;
				if (over) found.getTracks().forEach((track) => track.stop());
				else setStream(found);
				void client.invalidateQueries({ queryKey: ["audio-devices"] }); // now they have names
			})
			.catch(() => setFailed(true));
		return () => {
			over = true;
			opened?.getTracks().forEach((track) => track.stop());
			setStream(null);
			setFailed(false);
		};
	}, [tried, choices, client]);
	return (
		<>
			<Button size="compact-sm" variant="default" aria-pressed={tried} onClick={() => setTried(!tried)}>
				{t(tried ? "phone.tryMicrophoneEnd" : "phone.tryMicrophone")}
			</Button>
			{tried && <Meter label={t("phone.said")} stream={stream} />}
			{failed && (
				<Text size="sm" role="alert">
					{t("phone.microphoneDenied")}
				</Text>
			)}
		</>
	);
}

export function SoundChoices({ used }: { used: UsedPhone }) {
	const { t } = useTranslation();
	const { data: devices = [] } = useAudioDevices();
	const { choices, choose } = used;
	const [rings, setRings] = useState(false);
	useEffect(() => {
		if (!rings) return;
		const stop = toneStart("ring", choices.ringer);
		const timer = setTimeout(() => setRings(false), RING_TRIED_MS);
		return () => {
			clearTimeout(timer);
			stop();
		};
	}, [rings, choices.ringer]);
	const of = (kind: MediaDeviceKind) => [
		{ value: "", label: t("phone.usual") },
		...devices.filter((each) => each.kind === kind && each.deviceId && each.deviceId !== "default").map((each, i) => ({ value: each.deviceId, label: each.label || `${i + 1}` })),
	];
	const notify = async (on: boolean) => choose({ notify: on && (await Notification.requestPermission()) === "granted" });
	return (
		<Stack gap="xs" role="group" aria-label={t("phone.sounds")}>
			<NativeSelect label={t("phone.microphone")} data={of("audioinput")} value={choices.microphone} onChange={(event) => choose({ microphone: event.currentTarget.value })} />
			<NativeSelect label={t("phone.speaker")} data={of("audiooutput")} value={choices.speaker} onChange={(event) => choose({ speaker: event.currentTarget.value })} />
			<NativeSelect label={t("phone.ringer")} data={of("audiooutput")} value={choices.ringer} onChange={(event) => choose({ ringer: event.currentTarget.value })} />
			<Group gap="xs">
				<TryMicrophone used={used} />
				<Button size="compact-sm" variant="default" aria-pressed={rings} onClick={() => setRings(!rings)}>
					{t("phone.tryRinging")}
				</Button>
			</Group>
			<Switch label={t("phone.clean")} checked={choices.clean} onChange={(event) => choose({ clean: event.currentTarget.checked })} />
			{"Notification" in window && <Switch label={t("phone.notify")} checked={choices.notify} onChange={(event) => void notify(event.currentTarget.checked)} />}
		</Stack>
	);
}
