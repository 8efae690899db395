// Microsoft's words for what a user does, those that say more than their availability. No drawing here.
const told = {
	InACall: "inCall",
	InAConferenceCall: "inConference",
	InAMeeting: "inMeeting",
	Presenting: "presenting",
	BeRightBack: "backSoon",
	OutOfOffice: "outOfOffice",
	OffWork: "offWork",
	Focusing: "focusing",
} as const;

export type Activity = (typeof told)[keyof typeof told];

export function activityOf(word: string | null | undefined): Activity | null {
	return word && Object.hasOwn(told, word) ? told[word as keyof typeof told] : null;
}
