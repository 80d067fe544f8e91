// Variants and categories.
import { queryOptions } from "@tanstack/react-query";
import { get, path, query } from "./client";
import type { Categories, Explanations, Me, Variant, Variants } from "./types";

const PAGE = 200;

/** Every variant; pages are joined. */
export const allVariants = () => queryOptions({
  queryKey: ["variants"],
  queryFn: async ({ signal }) => {
    const variants: Variant[] = [];
    let version = 0;
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: Variants = await get(`/variants${query({ limit: PAGE, cursor })}`, signal);
      variants.push(...page.variants);
      [cursor, version] = [page.next, page.snapshot_version];
    }
    return { variants, snapshotVersion: version };
  },
});

export const oneVariant = (category: string, id: string) => queryOptions({
  queryKey: ["variants", category, id],
  queryFn: ({ signal }) => get<Variant>(path("variants", category, id), signal),
});

export const categories = () => queryOptions({ queryKey: ["categories"], queryFn: ({ signal }) => get<Categories>("/categories", signal) });

export const me = () => queryOptions({ queryKey: ["me"], queryFn: ({ signal }) => get<Me>("/me", signal), staleTime: Number.POSITIVE_INFINITY });

export interface Whom { personId: string; category?: string; isNew: boolean; isPaid: boolean }

export const explanation = ({ personId, category, isNew, isPaid }: Whom) => queryOptions({
  queryKey: ["explain", personId, category ?? null, isNew, isPaid],
  queryFn: ({ signal }) => get<Explanations>(`/explain${query({ person_id: personId, category, new_user: isNew, paid: isPaid })}`, signal),
  staleTime: 0,
});
