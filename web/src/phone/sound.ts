// What is heard besides the other one: ringing for a call that comes, the tone of one that is dialled; and how loud somebody is.
type Tone = { hertz: number[]; pattern: number[] }; // seconds on, off, on, off ...
const tones = {
	ring: { hertz: [440, 554], pattern: [0.9, 0.25, 0.9, 2.2] },
	ringback: { hertz: [425], pattern: [1, 4] }, // ITU-T E.180
	waiting: { hertz: [425], pattern: [0.15, 6] }, // a call that comes while one talks
} satisfies Record<string, Tone>;
export type ToneName = keyof typeof tones;

let context: AudioContext | null = null;
export function audioContext(): AudioContext {
	context ??= new AudioContext();
	if (context.state === "suspended") void context.resume().catch(() => undefined);
	return context;
}

type Sink = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };
export async function sinkSet(audio: HTMLAudioElement, device: string): Promise<void> {
	await (audio as Sink).setSinkId?.(device).catch(() => undefined); // a device that is gone: the usual one
}

// Sounds until what it gives back is called.
export function toneStart(name: ToneName, device: string): () => void {
	const at = audioContext();
	const { hertz, pattern }: Tone = tones[name];
	const gain = new GainNode(at, { gain: 0 });
	const out = new MediaStreamAudioDestinationNode(at);
	const audio = new Audio();
	const voices = hertz.map((frequency) => new OscillatorNode(at, { frequency }));
	const length = pattern.reduce((sum, each) => sum + each, 0);
	const round = (start: number) => {
		let when = start;
		pattern.forEach((seconds, i) => {
			gain.gain.setTargetAtTime(i % 2 === 0 ? 0.12 : 0, when, 0.015); // no click
			when += seconds;
		});
	};
	for (const voice of voices) {
		voice.connect(gain);
		voice.start();
	}
	gain.connect(out);
	audio.srcObject = out.stream;
	void sinkSet(audio, device).then(() => audio.play().catch(() => undefined)); // before the page was touched nothing may sound
	round(at.currentTime);
	const timer = setInterval(() => round(at.currentTime), length * 1000);
	return () => {
		clearInterval(timer);
		for (const voice of voices) voice.stop();
		gain.disconnect();
		audio.pause();
		audio.srcObject = null;
	};
}

// How loud a stream is, 0 to 1, as often as it is asked. The second gives its nodes back.
export function levelOf(stream: MediaStream): { read(): number; stop(): void } {
	const at = audioContext();
	const source = new MediaStreamAudioSourceNode(at, { mediaStream: stream });
	const analyser = new AnalyserNode(at, { fftSize: 512 });
	const samples = new Float32Array(analyser.fftSize);
	source.connect(analyser);
	return {
		read() {
			analyser.getFloatTimeDomainData(samples);
			const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
			const decibels = 10 * Math.log10(power + 1e-10);
			return Math.min(1, Math.max(0, (decibels + 60) / 60));
		},
		stop: () => source.disconnect(),
	};
}
