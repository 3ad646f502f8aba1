/** The graph's own few controls. */

import css from "./GraphView.module.css";

interface GraphToolbarProps {
  readonly asTable: boolean;
  readonly onTable: (on: boolean) => void;
  readonly onZoom: (factor: number) => void;
  readonly onFit: () => void;
}

export function GraphToolbar({ asTable, onTable, onZoom, onFit }: GraphToolbarProps) {
  return (
    <div className={css.toolbar} role="toolbar" aria-label="Graph view">
      {!asTable && (
        <>
          <button type="button" onClick={() => onZoom(1.25)} aria-label="Zoom in" title="Zoom in (+)">
            +
          </button>
          <button type="button" onClick={() => onZoom(0.8)} aria-label="Zoom out" title="Zoom out (-)">
            −
          </button>
          <button type="button" onClick={onFit} title="Show all (0)">
            Fit
          </button>
        </>
      )}
      <button type="button" aria-pressed={asTable} onClick={() => onTable(!asTable)} title="The same as a table">
        {asTable ? "Graph" : "Table"}
      </button>
    </div>
  );
}
