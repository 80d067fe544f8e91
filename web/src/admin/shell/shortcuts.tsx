// The list of keys.
import { Sheet } from "../ui/dialog";
import { useShortcutSetting } from "./keys";
import { PLACES } from "./places";

const ROWS: [string[], string][] = [
  [["?"], "This list"], [["/"], "Search or filter"],
  [["↓", "↑"], "Next or previous variant in the list (also j, k)"], [["Enter"], "Open it"],
  [["e"], "Edit it"], [["r"], "Change its share"], [["p"], "Promote it"], [["d"], "Demote it"], [["z"], "Pause it"], [["c"], "Compare it with production"],
  [["Esc"], "Close a dialog"],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const { isOn, setOn } = useShortcutSetting();
  const all: [string[], string][] = [...ROWS, ...PLACES.map(({ key, name }): [string[], string] => [["g", key], name])];
  return (
    <Sheet title="Keyboard shortcuts" onClose={onClose} wide>
      <dl className="grid gap-x-8 gap-y-1.5 sm:grid-cols-2">
        {all.map(([keys, what]) => (
          <div key={what} className="flex items-baseline gap-3">
            <dt className="w-20 shrink-0 space-x-1">{keys.map((key) => <kbd key={key} className="key">{key}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="mt-4 flex items-center gap-2 border-t border-line pt-3"><input type="checkbox" checked={isOn} onChange={(event) => setOn(event.target.checked)} />Letters are shortcuts</label>
    </Sheet>
  );
}
