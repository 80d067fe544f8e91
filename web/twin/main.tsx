import { createRoot } from "react-dom/client";
import { followTheme } from "../src/components/theme";
import { begin } from "../src/i18n";
import { App } from "./app";
import "./twin.css";

followTheme();
await begin();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
// Another link in the same tab is another visit.
addEventListener("hashchange", () => location.reload());
