// One phone for all the tabs of a browser: the one that holds the lock is the phone, another may ask for it.
const LOCK = "carillon-phone";
const BEHIND_MS = 500; // who gives the phone away waits for it again behind the one who asked

type Said = "ask" | "busy";

export interface Place {
	ask(): void; // becomes the phone, from whichever tab that is now, unless that has a call
	leave(): void;
}

export interface PlaceHandlers {
	mine: () => void; // this tab is the phone now
	notMine: () => void; // another one is
	busy: () => void; // it was asked for, and has a call
	mayGo: () => boolean; // whether this tab could give it away now
}

export function placeTake({ mine, notMine, busy, mayGo }: PlaceHandlers): Place {
	const channel = new BroadcastChannel(LOCK);
	const gone = new AbortController();
	let giveUp: (() => void) | null = null;
	let asked = false;
	const say = (what: Said) => channel.postMessage(what);

	const hold = () =>
		new Promise<void>((resolve) => {
			if (gone.signal.aborted) return resolve();
			giveUp = resolve;
			asked = false;
			mine();
		});
	const wait = () => void navigator.locks.request(LOCK, { signal: gone.signal }, hold).catch(() => undefined); // aborted: nobody waits any more
	void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
		if (lock) return hold();
		if (gone.signal.aborted) return;
		notMine();
		wait();
	});
	channel.onmessage = ({ data }: MessageEvent<Said>) => {
		if (data === "busy") {
			if (asked) busy();
			asked = false;
			return;
		}
		if (!giveUp) return;
		if (!mayGo()) return say("busy");
		const release = giveUp;
		giveUp = null;
		notMine();
		release();
		setTimeout(() => gone.signal.aborted || wait(), BEHIND_MS);
	};
	return {
		ask() {
			asked = true;
			say("ask");
		},
		leave() {
			gone.abort();
			giveUp?.();
			giveUp = null;
			channel.close();
		},
	};
}
