// Where the console begins.
import "./fonts.css";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./style.css";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { wordsBegin } from "./words";

wordsBegin();
createRoot(document.getElementById("root") as HTMLElement).render(<App />);
