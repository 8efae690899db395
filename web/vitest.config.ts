// Unit tests of the console's logic, and browser tests against a running server; each file alone: npx vitest run NAME
import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		// A browser, a server and phones on a busy machine take their time.
		testTimeout: 600_000,
		hookTimeout: 300_000,
		fileParallelism: false,
	},
});
