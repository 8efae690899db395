// Bundles the console. What the server needs of it: every file that is named by its content lies in assets/, and each
// text file has a .gz and a .br beside it, so that nothing is compressed while somebody waits.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

function compressed(): Plugin {
	return {
		name: "compressed",
		apply: "build",
		closeBundle() {
			const folder = "dist";
			for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
				if (!/\.(js|css|svg)$/.test(name)) continue;
				const path = join(folder, name);
				const plain = readFileSync(path);
				writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
				writeFileSync(`${path}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
			}
		},
	};
}

export default defineConfig({
	plugins: [react(), compressed()],
	build: {
		target: "es2022",
		assetsInlineLimit: 0, // a data: URL would need an exception in the Content-Security-Policy
		modulePreload: { polyfill: false },
		chunkSizeWarningLimit: 800,
	},
	server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
