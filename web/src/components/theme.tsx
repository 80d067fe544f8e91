import { useEffect, useState } from "react";
import { words } from "../messages";

const KEY = "si-theme";

export function ThemeToggle() {
  const [theme, setTheme] = useState(() => localStorage.getItem(KEY) ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark"));
  useEffect(() => { document.documentElement.className = theme; }, [theme]);
  const flip = () => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, next);
    setTheme(next);
  };
  return <button type="button" className="icon" aria-label={words.theme} onClick={flip}>{theme === "dark" ? "☾" : "☀"}</button>;
}
