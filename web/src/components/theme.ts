// Light, dark, or as the device has it.
import { useEffect, useState } from "react";

export type Theme = "auto" | "light" | "dark";
const KEY = "si-theme";
const GROUND = { light: "#e9f0ef", dark: "#0c1519" };

const chosen = (): Theme => {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
};

const light = () => matchMedia("(prefers-color-scheme: light)");

function show(theme: Theme) {
  const shown = theme === "auto" ? (light().matches ? "light" : "dark") : theme;
  document.documentElement.className = shown;
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", GROUND[shown]);
}

/** Follows the device for as long as nothing is chosen. */
export function followTheme() {
  show(chosen());
  light().addEventListener("change", () => show(chosen()));
}

export function useTheme() {
  const [theme, setTheme] = useState(chosen);
  useEffect(() => show(theme), [theme]);
  const choose = (next: Theme) => {
    if (next === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    setTheme(next);
  };
  return [theme, choose] as const;
}
