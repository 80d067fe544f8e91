// The configs of the last session, so that the frame has its form before the session has been read.
import type { Configs } from "./variants";

const KEY = "si-ui";

export const rememberConfigs = (configs: Configs) => localStorage.setItem(KEY, JSON.stringify(configs));

export function rememberedConfigs(): Configs | undefined {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Configs;
  } catch {
    return undefined;
  }
}
