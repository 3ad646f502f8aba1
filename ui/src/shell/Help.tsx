/** The keys that work everywhere, and where to read more. */
import { Dialog } from "../kit/Dialog";
import { bootstrap } from "../services/bootstrap";
import css from "./Help.module.css";

const KEYS: readonly (readonly [string, string])[] = [
  ["/ or Ctrl K", "Search and commands"],
  ["g h", "Overview"],
  ["g r", "Runs"],
  ["g b", "Backfills"],
  ["g a", "Assets"],
  ["g l", "Lineage"],
  ["g j", "Jobs"],
  ["g u", "Automation"],
  ["g d", "Deployment"],
  ["g s", "Settings"],
  ["j, k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["f", "Filter the list"],
  ["e", "On a run: go to its error"],
  ["Esc", "Close, or leave a field"],
  ["?", "This list"],
];

export default function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" isOpen onClose={onClose}>
      <dl className={css.keys}>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className={css.foot}>
        Single keys can be turned off in the settings.
        {bootstrap.version === undefined ? null : ` Penstock ${bootstrap.version}.`}
      </p>
    </Dialog>
  );
}
