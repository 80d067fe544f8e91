// The list's rows: variants joined with their figures, filtered and sorted. Pure.
import type { Category, Figures, Overview, Status, Variant } from "../api/types";

export interface Row {
  variant: Variant;
  total: Figures | null;
  days: (Figures | null)[];
  /** Against the category's production, where that is one variant. */
  delta: number | null;
  deltas: (number | null)[];
  control: string | undefined;
  /** 0 to 100. */
  share: number;
}
/** What share of the layer a variant really has: production has what its challengers leave, a pool shares evenly. */
export function shareOf(variant: Variant, all: Variant[]): number {
  if (variant.status !== "production") return variant.rollout_percent;
  const own = all.filter(({ category }) => category === variant.category);
  const taken = own.filter(isChallenger).reduce((sum, { rollout_percent }) => sum + rollout_percent, 0);
  return Math.max(0, 100 - taken) / Math.max(1, own.filter(({ status }) => status === "production").length);
}

export interface Group { category: Category; rows: Row[]; hidden: number }

export const SORTS = { id: "Name", status: "Status", share: "Share", sessions: "Sessions", latency: "p95 latency", cost: "Cost per turn", satisfaction: "Satisfaction Δ", returns: "Return rate" } as const;
export type Sort = keyof typeof SORTS;
export interface Filter { category?: string | undefined; status?: string | undefined; q?: string | undefined }

const RANK: Record<Status, number> = { production: 0, staged: 1, experimental: 2, retired: 3 };

const minus = (a: number | null | undefined, b: number | null | undefined) => (typeof a === "number" && typeof b === "number" ? a - b : null);

export function rowsOf(variants: Variant[], categories: Category[], overview: Overview | null | undefined): Row[] {
  const known = new Map((overview?.variants ?? []).map((entry) => [`${entry.category}/${entry.id}`, entry]));
  const days = overview?.days ?? [];
  const onDays = (entry: Overview["variants"][number] | undefined) => days.map((day) => entry?.days.find((figures) => figures.day === day) ?? null);
  return variants.map((variant) => {
    const category = categories.find((other) => other.category === variant.category);
    const control = category && !category.is_pool ? category.defaults[0] : undefined;
    const entry = known.get(`${variant.category}/${variant.id}`);
    const base = control === undefined || control === variant.id ? undefined : known.get(`${variant.category}/${control}`);
    const [own, others] = [onDays(entry), onDays(base)];
    return {
      variant, share: shareOf(variant, variants), control: control === variant.id ? undefined : control, total: entry?.total ?? null, days: own,
      delta: minus(entry?.total.satisfaction, base?.total.satisfaction),
      deltas: own.map((figures, index) => minus(figures?.satisfaction, others[index]?.satisfaction)),
    };
  });
}

export function matches({ variant }: Row, { category, status, q }: Filter): boolean {
  const text = `${variant.id} ${variant.description}`.toLowerCase();
  return (!category || variant.category === category) && (!status || variant.status === status)
    && (q ?? "").toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

const VALUES: Record<Sort, (row: Row) => number | string | null> = {
  id: ({ variant }) => variant.id, status: ({ variant }) => RANK[variant.status], share: ({ share }) => share,
  sessions: ({ total }) => total?.sessions ?? null, latency: ({ total }) => total?.latency_p95_ms ?? null, cost: ({ total }) => total?.cost_per_turn_micros ?? null,
  satisfaction: ({ delta }) => delta, returns: ({ total }) => total?.return_rate ?? null,
};

/** Sorted by a column; what is not known comes last either way, and names decide between equals. */
export function sorted(rows: Row[], sort: Sort, isDown: boolean): Row[] {
  const value = VALUES[sort];
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a.variant.id.localeCompare(b.variant.id, "en", { numeric: true });
    const order = typeof x === "string" ? x.localeCompare(String(y), "en", { numeric: true }) : x - Number(y);
    return (isDown ? -order : order) || a.variant.id.localeCompare(b.variant.id, "en", { numeric: true });
  });
}

export const isChallenger = ({ status, rollout_percent }: Variant) => (status === "experimental" || status === "staged") && rollout_percent > 0;

/** Rows by category; long pools are cut to what matters, unless they are opened. */
export function groupsOf(rows: Row[], categories: Category[], limit: number, isOpen: (category: string) => boolean): Group[] {
  return categories.flatMap((category) => {
    const own = rows.filter(({ variant }) => variant.category === category.category);
    if (own.length === 0) return [];
    if (isOpen(category.category) || own.length <= limit) return [{ category, rows: own, hidden: 0 }];
    const matters = (row: Row) => isChallenger(row.variant) || (!category.is_pool && row.variant.status === "production");
    const room = Math.max(0, limit - own.filter(matters).length);
    const others = new Set(own.filter((row) => !matters(row)).slice(0, room));
    const shown = own.filter((row) => matters(row) || others.has(row));
    return [{ category, rows: shown, hidden: own.length - shown.length }];
  });
}
