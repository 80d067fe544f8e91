// Light, dark, or as the device has it.
import { useEffect } from "react";
import { useMedia, useSetting } from "../ui/hooks";

type Theme = "system" | "light" | "dark";
const NAMES: Record<Theme, string> = { system: "As the device", light: "Light", dark: "Dark" };

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useSetting<Theme>("admin-theme", "system");
  const isDarkDevice = useMedia("(prefers-color-scheme: dark)");
  const isDark = theme === "dark" || (theme === "system" && isDarkDevice);
  useEffect(() => { document.documentElement.classList.toggle("dark", isDark); }, [isDark]);
  return [theme, setTheme];
}

export function ThemeChoice({ theme, onChange }: { theme: Theme; onChange: (theme: Theme) => void }) {
  return (
    <label className="flex items-center gap-2 text-ink-2">
      <span>Theme</span>
      <select className="bg-transparent text-ink" value={theme} onChange={(event) => onChange(event.target.value as Theme)}>
        {(Object.keys(NAMES) as Theme[]).map((name) => <option key={name} value={name} className="bg-raised">{NAMES[name]}</option>)}
      </select>
    </label>
  );
}
