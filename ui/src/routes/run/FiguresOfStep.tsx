/** The figures of the one step that is chosen: where the time of each of its attempts went, and what its process used. */
import { aboutFigure, FIGURES } from "../../services/figures.model";
import type { RunDetail } from "../../services/runs";
import css from "./Gantt.module.css";

interface FiguresOfStepProps {
  run: RunDetail;
  steps: readonly string[];
}

export function FiguresOfStep({ run, steps }: FiguresOfStepProps) {
  const stats = steps.length === 1 ? run.stepStats.find((step) => step.stepKey === steps[0]) : undefined;
  const known = (stats?.attempts ?? []).flatMap(({ figures }, index) => (figures === null ? [] : [{ figures, number: index + 1 }]));
  if (stats === undefined || known.length === 0) return null;
  return (
    <section className={css.figures} aria-label={`Figures of ${stats.stepKey}`}>
      {known.map(({ figures, number }) => (
        <dl key={number} className={css.line}>
          <span className={css.whose}>{stats.attempts.length === 1 ? stats.stepKey : `Attempt ${number}`}</span>
          {FIGURES.map((figure) => (
            <div key={figure.id} title={aboutFigure(figure, figures)}>
              <dt>{figure.label}</dt>
              <dd>{figure.text(figures)}</dd>
            </div>
          ))}
        </dl>
      ))}
    </section>
  );
}
