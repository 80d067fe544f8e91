import { createRoot } from "react-dom/client";
import { App } from "./app";
import { followTheme } from "./components/theme";
import { begin } from "./i18n";
import { readPreview } from "./preview";
import { registerWorker } from "./pwa/register";
import "./styles/index.css";

followTheme();
readPreview();
await begin();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
registerWorker();
