// The connection to the server, as JsSIP wants one: a WebSocket that finds out by itself when it is dead. After a change of network the
// browser would take minutes to notice, and nobody could call meanwhile.
const ASK_MS = 20_000;
const ANSWER_MS = 5000;
const PING = "\r\n\r\n"; // RFC 5626 section 4.4.1; the server answers with half of it

export class KeptSocket {
	via_transport: string;
	readonly sip_uri: string;
	onconnect: () => void = () => undefined;
	ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
	ondata: (data: unknown) => void = () => undefined;
	private socket: WebSocket | null = null;
	private asking: ReturnType<typeof setInterval> | undefined;
	private waiting: ReturnType<typeof setTimeout> | undefined;

	constructor(readonly url: string) {
		const { protocol, host } = new URL(url);
		this.via_transport = protocol === "wss:" ? "WSS" : "WS";
		this.sip_uri = `sip:${host};transport=ws`;
	}

	connect(): void {
		this.disconnect();
		const socket = new WebSocket(this.url, "sip");
		this.socket = socket;
		socket.onopen = () => {
			this.asking = setInterval(() => this.ask(), ASK_MS);
			this.onconnect();
		};
		socket.onmessage = ({ data }) => {
			clearTimeout(this.waiting);
			if (typeof data !== "string" || data.trim() !== "") this.ondata(data);
		};
		socket.onclose = ({ code, reason }) => this.lost(code, reason);
	}

	disconnect(): void {
		clearInterval(this.asking);
		clearTimeout(this.waiting);
		const { socket } = this;
		this.socket = null;
		if (!socket) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close();
	}

	send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
		if (!this.isConnected()) return false;
		this.socket?.send(message as string);
		return true;
	}

	isConnected = (): boolean => this.socket?.readyState === WebSocket.OPEN;
	isConnecting = (): boolean => this.socket?.readyState === WebSocket.CONNECTING;

	// Whether the server is still there; who does not answer is gone.
	ask(): void {
		if (!this.send(PING)) return;
		clearTimeout(this.waiting);
		this.waiting = setTimeout(() => this.lost(1006, "no answer"), ANSWER_MS);
	}

	private lost(code: number, reason: string): void {
		this.disconnect();
		this.ondisconnect(true, code, reason);
	}
}
