/** Code locations: what each defines, whether it loads, and why not. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { ErrorPanel } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { StatusTag } from "../../kit/StatusTag";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { type Location, reloadLocation } from "../../services/deployment";
import css from "./Deployment.module.css";

interface LocationsProps {
  locations: readonly Location[];
  /** The location that the address names. */
  focus: string | null;
}

export function Locations({ locations, focus }: LocationsProps) {
  if (locations.length === 0) {
    return (
      <Empty title="No code location" icon="deployment">
        Start Penstock with <code>-f FILE</code>, <code>-m MODULE</code> or <code>-w workspace.yaml</code>.
      </Empty>
    );
  }
  const troubledFirst = locations.toSorted((one, other) => Number(other.loadError !== null) - Number(one.loadError !== null));
  return (
    <Section>
      <ul className={css.locations}>
        {troubledFirst.map((location) => (
          <LocationCard key={location.name} location={location} isFocused={location.name === focus} />
        ))}
      </ul>
    </Section>
  );
}

function LocationCard({ location, isFocused }: { location: Location; isFocused: boolean }) {
  const client = useQueryClient();
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isFocused) card.current?.scrollIntoView({ block: "nearest" });
  }, [isFocused]);
  const { name } = location;
  const reload = useMutation({
    mutationFn: () => reloadLocation(name),
    onSuccess: (loaded) => toast(loaded ? { text: `${name} is loaded anew.` } : { text: `${name} did not load.`, tone: "bad" }),
    onError: toastError,
    onSettled: () => void client.invalidateQueries(),
  });
  const status = location.loadStatus === "LOADING" || reload.isPending ? "LOADING" : location.loadError === null ? "LOADED" : "ERROR";
  return (
    <li ref={card} className={css.card}>
      <header className={css.cardHead}>
        <h2 className={css.name}>{name}</h2>
        <StatusTag status={status} />
        {location.loadError !== null && location.stale ? <StatusTag status="STALE" label="Serves the last good definitions" /> : null}
        <span className={css.space} />
        <Button icon="reload" isPending={reload.isPending} onPress={() => reload.mutate()}>
          Reload
        </Button>
      </header>
      <p className={css.facts}>
        <span className={css.origin}>{location.origin}</span>
        <span>
          {location.loadError === null ? "Loaded" : "Tried"} <Time at={location.updatedTimestamp} relative />
        </span>
        <Count count={location.assetCount} word="asset" to={links.assets({ location: name })} />
        <Count count={location.jobCount} word="job" to={links.jobs({ location: name })} />
        <Count count={location.scheduleCount} word="schedule" to={links.automation({ location: name })} />
        <Count count={location.sensorCount} word="sensor" to={links.automation({ location: name })} />
      </p>
      {location.loadError === null ? null : <ErrorPanel error={location.loadError} title="The last load failed" />}
    </li>
  );
}

function Count({ count, word, to }: { count: number; word: string; to: string }) {
  if (count === 0) return null;
  return (
    <Link to={to}>
      {count.toLocaleString("en")} {word}
      {count === 1 ? "" : "s"}
    </Link>
  );
}
