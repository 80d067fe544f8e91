// One quiet question after an answer. Answering it, leaving it or going on all make it go away.
import { useEffect, useId, useState } from "react";
import { rateTurn } from "../api/client";
import { Icon } from "../components/icon";
import { useLanguage, useWords } from "../i18n";
import { translated } from "../i18n/ratings";
import { type RatingForm as Form, useUi } from "../variants";
import { feedbackOf, markAsked, wasAsked } from "./rating";
import { ScaleInput } from "./scales";

export function RatingForm({ session, turn }: { session: string; turn: string }) {
  const words = useWords();
  const language = useLanguage();
  const { rating } = useUi();
  const id = useId();
  const [form, setForm] = useState<{ form: Form; language: string } | null>(null);
  const [state, setState] = useState<"asked" | "thanked" | "gone">(() => (wasAsked(turn) ? "gone" : "asked"));
  useEffect(() => {
    let current = true;
    const plain = { form: rating, language: "en" };
    translated(rating, language).then((own) => current && setForm(own ? { form: own, language } : plain), () => current && setForm(plain));
    return () => { current = false; };
  }, [rating, language]);

  const pick = (step: number) => {
    setState("thanked");
    rateTurn(session, turn, feedbackOf(rating.scale, step)).then(() => markAsked(turn), () => setState("asked"));
  };
  const skip = () => {
    markAsked(turn);
    setState("gone");
  };
  if (state === "gone" || !form) return null;
  if (state === "thanked") return <p className="rating thanked" role="status"><Icon name="check" />{words.rate.thanks}</p>;
  return (
    <section className="rating" data-scale={rating.scale} role="group" aria-labelledby={id}>
      <p id={id} lang={form.language}>{form.form.question}</p>
      <div className="scale" lang={form.language}><ScaleInput scale={rating.scale} low={form.form.low} high={form.form.high} onPick={pick} /></div>
      <button type="button" className="skip-rating" aria-label={words.rate.skip} title={words.rate.skip} onClick={skip}><Icon name="close" /></button>
    </section>
  );
}
