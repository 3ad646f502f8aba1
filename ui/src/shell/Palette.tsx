/** One field that goes anywhere: pages, jobs, assets, schedules, sensors, runs and backfills by id, and a few deeds. */
import { type KeyboardEvent, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";

import { cx } from "../kit/cx";
import { Icon } from "../kit/Icon";
import { links } from "../links";
import { useData } from "../services/data";
import { gql } from "../services/gql";
import { useGo } from "../services/navigation";
import { setPreferences } from "../services/preferences";
import type { PaletteQuery, PaletteQueryVariables } from "../services/schema.gen";
import css from "./Palette.module.css";
import { type Entry, search } from "./palette.model";

const PALETTE = gql<PaletteQuery, PaletteQueryVariables>`
  query Palette {
    repositoriesOrError {
      __typename
      ... on RepositoryConnection {
        nodes {
          location { name }
          jobs { name isAssetJob }
          assetNodes { assetKey { path } groupName }
          schedules { name }
          sensors { name }
        }
      }
    }
  }
`;

const SHOWN = 13;

interface Target extends Entry {
  to?: string;
  run?: () => void;
}

const PAGES: readonly Target[] = [
  { id: "page:overview", kind: "Go to", name: "Overview", detail: "g h", to: links.overview() },
  { id: "page:runs", kind: "Go to", name: "Runs", detail: "g r", to: links.runs() },
  { id: "page:failed", kind: "Go to", name: "Failed runs", detail: "", to: links.runs({ status: ["FAILURE"] }) },
  { id: "page:backfills", kind: "Go to", name: "Backfills", detail: "g b", to: links.backfills() },
  { id: "page:assets", kind: "Go to", name: "Assets", detail: "g a", to: links.assets() },
  { id: "page:lineage", kind: "Go to", name: "Lineage", detail: "g l", to: links.lineage() },
  { id: "page:jobs", kind: "Go to", name: "Jobs", detail: "g j", to: links.jobs() },
  { id: "page:automation", kind: "Go to", name: "Automation", detail: "g u", to: links.automation() },
  { id: "page:deployment", kind: "Go to", name: "Deployment", detail: "g d", to: links.deployment() },
  { id: "page:settings", kind: "Go to", name: "Settings", detail: "g s", to: links.settings() },
  { id: "theme:light", kind: "Theme", name: "Light theme", detail: "", run: () => setPreferences({ theme: "light" }) },
  { id: "theme:dark", kind: "Theme", name: "Dark theme", detail: "", run: () => setPreferences({ theme: "dark" }) },
  { id: "theme:system", kind: "Theme", name: "Theme of the system", detail: "", run: () => setPreferences({ theme: "system" }) },
];

export default function Palette({ onClose }: { onClose: () => void }) {
  const go = useGo();
  const [letters, setLetters] = useState("");
  const [at, setAt] = useState(0);
  const { data } = useData(PALETTE, {});
  const found = search(letters, [...byId(letters), ...targets(data), ...PAGES], SHOWN);
  const shown = letters === "" ? PAGES.slice(0, SHOWN) : found;

  const choose = (target: Target | undefined) => {
    if (target === undefined) return;
    onClose();
    if (target.to !== undefined) go(target.to);
    target.run?.();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") choose(shown[at]);
    else return;
    event.preventDefault();
  };
  return (
    <ModalOverlay className={css.scrim ?? ""} isOpen isDismissable onOpenChange={onClose}>
      <Modal className={css.modal ?? ""}>
        <Dialog aria-label="Search and commands" className={css.dialog ?? ""}>
          <label className={css.field}>
            <Icon name="search" />
            <input
              autoFocus
              role="combobox"
              aria-label="Search"
              aria-expanded="true"
              aria-controls="palette-found"
              aria-activedescendant={shown[at] === undefined ? undefined : `palette-${at}`}
              placeholder="Search assets, jobs, schedules, sensors, ids of runs and backfills ..."
              value={letters}
              spellCheck={false}
              onChange={(event) => {
                setLetters(event.currentTarget.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
            />
          </label>
          <ul id="palette-found" role="listbox" aria-label="Found" className={css.list}>
            {shown.map((target, index) => (
              <li
                key={target.id}
                id={`palette-${index}`}
                role="option"
                aria-selected={index === at}
                className={cx(css.entry, index === at && css.chosen)}
                onPointerMove={() => setAt(index)}
                onClick={() => choose(target)}
              >
                <span className={css.kind}>{target.kind}</span>
                <span className={css.name}>{target.name}</span>
                <span className={css.detail}>{target.detail}</span>
              </li>
            ))}
            {shown.length === 0 ? <li className={css.none}>Nothing is called like that.</li> : null}
          </ul>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function byId(letters: string): Target[] {
  const id = letters.trim();
  if (!/^[0-9a-f-]{32,36}$/i.test(id)) return [];
  // An id alone does not tell what it is of.
  return [
    { id: `run:${id}`, kind: "Run", name: id, detail: "", to: links.run(id) },
    { id: `backfill:${id}`, kind: "Backfill", name: id, detail: "", to: links.backfill(id) },
  ];
}

function targets(data: PaletteQuery | undefined): Target[] {
  const repositories = data?.repositoriesOrError;
  if (repositories?.__typename !== "RepositoryConnection") return [];
  return repositories.nodes.flatMap(({ location: { name: location }, jobs, assetNodes, schedules, sensors }) => {
    const target = (kind: string, name: string, to: string, detail = location): Target => ({
      id: `${kind}:${location}:${name}`,
      kind,
      name,
      detail,
      to,
    });
    return [
      ...assetNodes.map(({ assetKey, groupName }) =>
        target("Asset", assetKey.path.join(" / "), links.asset(assetKey.path), groupName),
      ),
      ...jobs.map((job) => target("Job", job.name, links.job(location, job.name))),
      ...schedules.map((schedule) => target("Schedule", schedule.name, links.schedule(location, schedule.name))),
      ...sensors.map((sensor) => target("Sensor", sensor.name, links.sensor(location, sensor.name))),
    ];
  });
}
