// What the run needs to know of the machine. Where there is no /proc, what it would tell is null.
import { readFileSync, readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** /proc counts processor time in ticks of a hundredth of a second. */
const TICK_MS = 10;

function proc(path, find) {
  try {
    return find(readFileSync(`/proc/${path}`, "utf8"));
  } catch {
    return null;
  }
}

/** The fields of /proc/…/stat behind the command's name, which may hold spaces. */
const fields = (text) => text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);

/** Processor time of a process, all its threads, in ms. */
export const cpuMs = (pid) => proc(`${pid}/stat`, (text) => (fields(text)[11] + fields(text)[12]) * TICK_MS);

/** Resident memory of a process in KiB. */
export const rssKib = (pid) => proc(`${pid}/status`, (text) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)[1]));

/** A process and all that descend from it. */
function tree(pid) {
  const parents = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), proc(`${name}/stat`, (text) => fields(text)[1])]);
  const found = [pid];
  for (const known of found) found.push(...parents.filter(([, parent]) => parent === known).map(([child]) => child));
  return found;
}

const sumOver = (pid, one) => (proc("self/stat", Boolean) ? tree(pid).reduce((sum, each) => sum + (one(each) ?? 0), 0) : null);

/** Processor time of a process and all that descend from it, in ms. */
export const treeCpuMs = (pid) => sumOver(pid, cpuMs);

/** Memory of a process and all that descend from it in KiB: what they share counts once (PSS), where the system tells. */
export const treeMemoryKib = (pid) => sumOver(pid, (each) => (
  proc(`${each}/smaps_rollup`, (text) => Number(/^Pss:\s+(\d+) kB$/m.exec(text)[1])) ?? rssKib(each)));

// This process and the children that it has seen the end of.
const ourMs = () => proc("self/stat", (text) => fields(text).slice(11, 15).reduce((sum, ticks) => sum + ticks) * TICK_MS);

// User, nice, system, interrupts, soft interrupts and what the host took away; neither idle nor waiting.
const busyMs = () => proc("stat", (text) => {
  const ticks = text.split("\n")[0].trim().split(/\s+/).slice(1).map(Number);
  return [0, 1, 2, 5, 6, 7].reduce((sum, at) => sum + ticks[at], 0) * TICK_MS;
});

/** Tells, once every child has ended, which part of all processor time others used since now. */
export function watchOthers() {
  const began = { at: performance.now(), busy: busyMs(), ours: ourMs() };
  return () => {
    if (began.busy === null) return null;
    const others = busyMs() - began.busy - (ourMs() - began.ours);
    return Math.max(0, others) / ((performance.now() - began.at) * cpus().length);
  };
}

/** The machine, without anything that names it. */
export const describe = () => ({
  date: new Date().toISOString().slice(0, 10),
  cpu: cpus()[0]?.model ?? "unknown processor",
  cores: cpus().length,
  memoryBytes: totalmem(),
  system: `${process.platform} ${process.arch}`,
  node: process.versions.node,
});
