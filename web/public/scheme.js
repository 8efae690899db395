// Before anything is drawn: dark or light, so that nobody is dazzled while the console loads.
(() => {
	let chosen = null;
	try {
		chosen = localStorage.getItem("carillon.scheme");
	} catch {
		// Storage may be forbidden.
	}
	const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
	document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
