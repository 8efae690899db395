// Colours and sizes. Every pair of text and ground has a contrast of 4.5 or more, in the light and in the dark.
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const petrol: MantineColorsTuple = [
	"#e8f7f8",
	"#d0edef",
	"#a1dbe0",
	"#6ec7cf",
	"#45b3bd",
	"#229ba7",
	"#108794",
	"#067a86",
	"#00646f",
	"#004f58",
];

// Quieter than Mantine's greys, with a breath of the main colour.
const dark: MantineColorsTuple = [
	"#d3dadd",
	"#b4bec3",
	"#9aa6ac",
	"#66747b",
	"#3c484e",
	"#2c363b",
	"#202a2f",
	"#182024",
	"#12191c",
	"#0c1113",
];

export const theme = createTheme({
	primaryColor: "petrol",
	primaryShade: { light: 7, dark: 7 },
	colors: { petrol, dark },
	fontFamily: "'Inter Variable', system-ui, sans-serif",
	fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
	headings: { fontFamily: "'Inter Variable', system-ui, sans-serif", fontWeight: "650" },
	defaultRadius: "md",
	cursorType: "pointer",
	respectReducedMotion: true,
	components: {
		Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
		// What Mantine would put there to be focused first is no item of a menu; the first item is.
		Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
		Modal: { defaultProps: { attributes: { header: { role: "none" } }, centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 } } },
	},
});
