// Whom of a call the media relay has heard, in order: the caller, then each leg that it carried. No drawing here.
import type { CallRecord } from "./timeline";

export interface QualityRow {
	key: string;
	name: string | null; // null: the caller
	quality: CallRecord["caller_quality"];
	reason: CallRecord["legs"][number]["anchor_reason"];
}

export function rowsOfQuality(record: CallRecord): QualityRow[] {
	const legs = record.legs
		.map((leg, at): QualityRow => ({ key: String(at), name: leg.title || leg.number, quality: leg.quality, reason: leg.anchor_reason }))
		.filter((row) => row.quality || row.reason);
	return record.caller_quality ? [{ key: "caller", name: null, quality: record.caller_quality, reason: null }, ...legs] : legs;
}
