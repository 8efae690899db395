// Leaving a page with unsaved changes asks first, whether by a link or by closing the tab.
import { useEffect } from "react";

const open = new Set<symbol>();

export function somethingIsUnsaved(): boolean {
	return open.size > 0;
}
export function unsavedForget(): void {
	open.clear();
}

const warn = (event: BeforeUnloadEvent) => {
	if (open.size) event.preventDefault();
};
globalThis.addEventListener?.("beforeunload", warn);

export function useUnsaved(dirty: boolean): void {
	useEffect(() => {
		if (!dirty) return;
		const mine = Symbol("unsaved");
		open.add(mine);
		return () => {
			open.delete(mine);
		};
	}, [dirty]);
}
