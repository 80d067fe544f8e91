// The five scales, each a group of plain controls that work by key, by finger and by screen reader.
import { useState } from "react";
import { Icon } from "../components/icon";
import { useLocale, useWords } from "../i18n";
import type { Scale } from "../variants";
import { STEPS } from "./rating";

interface Props {
  scale: Scale;
  low: string;
  high: string;
  onPick: (step: number) => void;
}

const steps = (scale: Scale) => Array.from({ length: STEPS[scale] }, (_, at) => at + 1);

/** What a step is called: its number, and at the ends what it stands for. */
function useStepNames({ scale, low, high }: Props) {
  const { rate } = useWords();
  const of = STEPS[scale];
  return (step: number) => (step === 1 ? `${rate.step(step, of)}: ${low}` : step === of ? `${rate.step(step, of)}: ${high}` : rate.step(step, of));
}

const Ends = ({ low, high }: { low: string; high: string }) => <span className="ends" aria-hidden="true"><span>{low}</span><span>{high}</span></span>;

function Stars(props: Props) {
  const name = useStepNames(props);
  const [over, setOver] = useState(0);
  return (
    <>
      <span className="row" onMouseLeave={() => setOver(0)}>
        {steps("stars5").map((step) => (
          <button key={step} type="button" className={step <= over ? "lit" : undefined} aria-label={name(step)} onMouseEnter={() => setOver(step)} onFocus={() => setOver(step)} onBlur={() => setOver(0)} onClick={() => props.onPick(step)}><Icon name="star" /></button>
        ))}
      </span>
      <Ends {...props} />
    </>
  );
}

function Words({ low, high, onPick }: Props) {
  const { rate } = useWords();
  return (
    <span className="row">
      {[low, rate.leaning(low), rate.between, rate.leaning(high), high].map((label, at) => <button key={label} type="button" className="quiet" onClick={() => onPick(at + 1)}>{label}</button>)}
    </span>
  );
}

function Thumbs({ low, high, onPick }: Props) {
  return (
    <span className="row">
      <button type="button" className="quiet" onClick={() => onPick(2)}><Icon name="up" />{high}</button>
      <button type="button" className="quiet" onClick={() => onPick(1)}><Icon name="down" />{low}</button>
    </span>
  );
}

function Slider({ low, high, onPick }: Props) {
  const { rate } = useWords();
  const locale = useLocale();
  const [step, setStep] = useState(5);
  return (
    <>
      <span className="row slide">
        <input type="range" min={1} max={STEPS.slider10} value={step} aria-label={`${low} – ${high}`} aria-valuetext={rate.step(step, STEPS.slider10)} onChange={(event) => setStep(event.target.valueAsNumber)} />
        <output aria-hidden="true">{new Intl.NumberFormat(locale).format(step)}</output>
        <button type="button" className="quiet" onClick={() => onPick(step)}>{rate.send}</button>
      </span>
      <Ends low={low} high={high} />
    </>
  );
}

/** A mouth from sad to glad; the brows follow. */
const MOUTHS = ["M8 16.5q4-4 8 0", "M8.5 16q3.5-2 7 0", "M8.5 15.5h7", "M8.5 15q3.5 2.5 7 0", "M8 14.5q4 4.5 8 0"];

function Faces(props: Props) {
  const name = useStepNames(props);
  return (
    <>
      <span className="row">
        {MOUTHS.map((mouth, at) => (
          <button key={mouth} type="button" aria-label={name(at + 1)} onClick={() => props.onPick(at + 1)}>
            <svg className="sign" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9" /><path d="M9 10v.6M15 10v.6" /><path d={mouth} /></svg>
          </button>
        ))}
      </span>
      <Ends {...props} />
    </>
  );
}

const FORMS: Record<Scale, (props: Props) => React.ReactNode> = { stars5: Stars, words5: Words, thumbs: Thumbs, slider10: Slider, emoji5: Faces };

export function ScaleInput(props: Props) {
  const Form = FORMS[props.scale];
  return <Form {...props} />;
}
