/** The latest ticks as a row of marks, oldest first. */
import { useTimeStyle } from "../kit/Time";
import { shortTime } from "../services/time.model";
import css from "./automation.module.css";
import { tickWord } from "./ticks.model";

interface TickStripProps {
  ticks: readonly { tickId: string; status: string; timestamp: number }[];
}

export function TickStrip({ ticks }: TickStripProps) {
  const style = useTimeStyle();
  const now = Date.now() / 1000;
  const words = ticks.map((tick) => `${shortTime(tick.timestamp, now, style)} ${tickWord(tick.status)}`);
  return (
    <span
      className={css.strip}
      role="img"
      aria-label={words.length === 0 ? "No ticks" : `Latest ticks: ${words.join("; ")}`}
    >
      {ticks.toReversed().map((tick, index) => (
        <span
          key={tick.tickId}
          className={css.tick}
          data-status={tick.status}
          title={words[ticks.length - 1 - index]}
        />
      ))}
    </span>
  );
}
