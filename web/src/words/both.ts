// A group of sentences in both languages, side by side. English decides which there are; Czech must have them all, and may
// add the plural that English does not know (_few).
export interface Words {
	[key: string]: string | Words;
}
export type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> } & { [K in `${string}_few`]: string };

export function both<const T extends Words>(en: T, cs: Same<T>): { en: T; cs: Same<T> } {
	return { en, cs };
}
