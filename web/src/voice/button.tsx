// The one button, and what has to be said about it. What it starts is loaded when it is wanted.
import { Icon } from "../components/icon";
import { useWords } from "../i18n";
import { type Voice, load } from "./use-voice";

export function VoiceButton({ voice, disabled }: { voice: Voice; disabled: boolean }) {
  const words = useWords();
  const prefetch = () => void load().catch(() => {});
  return (
    <button type="button" className="round voice" aria-pressed={voice.on} aria-label={words.voice.talk} title={words.voice.talk} disabled={disabled} onPointerEnter={prefetch} onFocus={prefetch} onClick={voice.toggle}>
      <Icon name="voice" />
    </button>
  );
}

/** Why there is no talk; what goes wrong in one is said in it. */
export function VoiceNote({ voice }: { voice: Voice }) {
  const words = useWords();
  if (!voice.note || voice.on) return null;
  return (
    <p className="voice-note" role="alert">
      <span>{words.voice.notes[voice.note]}</span>
      <button type="button" className="icon" aria-label={words.close} onClick={voice.dismiss}><Icon name="close" /></button>
    </p>
  );
}
