/** The graph as a table: the same nodes, statuses, neighbours and selection, without a picture. */

import { StatusTag } from "../kit/StatusTag";
import css from "./GraphView.module.css";
import type { Adjacency } from "./layers.model";
import type { GraphNode } from "./node.model";

interface NodeTableProps {
  readonly label: string;
  readonly nodes: readonly GraphNode[];
  readonly near: Adjacency;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (ids: ReadonlySet<string>) => void;
  readonly onOpen?: (id: string) => void;
}

export function NodeTable({ label, nodes, near, selected, onSelect, onOpen }: NodeTableProps) {
  const names = (places: readonly number[]) => places.map((place) => nodes[place]!.label).join(", ") || "–";
  const toggle = (id: string, on: boolean) => {
    onSelect(on ? new Set([...selected, id]) : new Set([...selected].filter((other) => other !== id)));
  };
  return (
    <div className={css.tableBox}>
      <table className={css.table} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">
              <span className={css.unseen}>Selected</span>
            </th>
            <th scope="col">Name</th>
            <th scope="col">Status</th>
            <th scope="col">Reads</th>
            <th scope="col">Read by</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node, place) => (
            <tr key={node.id}>
              <td>
                <input
                  type="checkbox"
                  aria-label={`Select ${node.label}`}
                  checked={selected.has(node.id)}
                  onChange={(event) => toggle(node.id, event.target.checked)}
                />
              </td>
              <th scope="row">
                {onOpen ? (
                  <button type="button" className={css.open} onClick={() => onOpen(node.id)}>
                    {node.label}
                  </button>
                ) : (
                  node.label
                )}
              </th>
              <td>
                <span className={css.state}>
                  {node.status ? <StatusTag bare status={node.status} /> : null}
                  {node.note}
                  {node.detail && <span className={css.muted}>{node.detail}</span>}
                </span>
              </td>
              <td>{names(near.before[place]!)}</td>
              <td>{names(near.after[place]!)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
