/** What the pages of a schedule and of a sensor have in common: the head with the switch, and the definition. */
import type { ReactNode } from "react";

import { Breakable } from "../kit/Breakable";
import { Button } from "../kit/Button";
import { Chip, Facts } from "../kit/Facts";
import { Page, Section } from "../kit/Page";
import { Toggle } from "../kit/Toggle";
import { links } from "../links";
import { Markdown } from "../metadata/Markdown";
import type { AutomationKind, OperatorAct, Override } from "../services/automation";
import { Acts } from "./Acts";
import css from "./automation.module.css";
import { OverrideDialog } from "./OverrideDialog";
import { OverridePanel } from "./OverridePanel";
import type { SwitchControl } from "./useSwitch";

interface InstigatorPageProps {
  name: string;
  location: string;
  control: SwitchControl;
  /** Its switch; none until it is known. */
  state: { isOn: boolean; canReset: boolean } | undefined;
  /** Its rhythm, in words. */
  under: ReactNode;
  onDryRun: () => void;
  onOverride: () => void;
  children: ReactNode;
}

export function InstigatorPage({ name, location, control, state, under, onDryRun, onOverride, children }: InstigatorPageProps) {
  return (
    <Page
      title={name}
      crumbs={[
        { label: "Automation", to: links.automation() },
        { label: location, to: links.deployment() },
      ]}
      beside={
        state ? (
          <Toggle
            label={state.isOn ? "On" : "Off"}
            isOn={state.isOn}
            isDisabled={control.isBusy}
            onChange={(on) => control.turn(name, on)}
          />
        ) : undefined
      }
      under={under}
      actions={
        state ? (
          <>
            {state.canReset ? (
              <Button variant="quiet" onPress={() => control.reset(name)}>
                As the code says
              </Button>
            ) : null}
            <Button onPress={onOverride}>Override</Button>
            <Button icon="play" onPress={onDryRun}>
              Dry run
            </Button>
          </>
        ) : undefined
      }
    >
      {children}
    </Page>
  );
}

interface BeyondCodeProps {
  kind: AutomationKind;
  name: string;
  state: { id: string; override: Override | null; heldBack: string | null };
  isOverriding: boolean;
  onOverride: (isOpen: boolean) => void;
}

/** What holds besides what the code says: an override, runs that are held back, and the dialog for an override. */
export function BeyondCode({ kind, name, state, isOverriding, onOverride }: BeyondCodeProps) {
  const { id, override, heldBack } = state;
  return (
    <>
      {heldBack === null ? null : (
        <Section title="Held back">
          <p className={css.held}>{heldBack}</p>
        </Section>
      )}
      {override === null ? null : <OverridePanel id={id} name={name} override={override} onChange={() => onOverride(true)} />}
      {isOverriding ? <OverrideDialog kind={kind} id={id} name={name} override={override} onClose={() => onOverride(false)} /> : null}
    </>
  );
}

/** What people did to it, if anything. */
export function ActsOf({ acts }: { acts: readonly OperatorAct[] }) {
  return acts.length === 0 ? null : (
    <>
      <Section title="What people did" />
      <Acts acts={acts} />
    </>
  );
}

interface DefinitionProps {
  of: {
    description: string | null;
    defaultStatus: "RUNNING" | "STOPPED";
    tags: readonly { key: string; value: string }[];
    sourceRef: string | null;
  };
  declaredInCode: boolean;
  /** What only this kind has. */
  facts: readonly (readonly [string, ReactNode])[];
}

export function Definition({ of, declaredInCode, facts }: DefinitionProps) {
  return (
    <Section title="Definition">
      {of.description ? (
        <div className={css.words}>
          <Markdown source={of.description} />
        </div>
      ) : null}
      <Facts
        facts={[
          ...facts,
          ["Switch", declaredInCode ? `as the code says (${of.defaultStatus === "RUNNING" ? "on" : "off"})` : "set by a person"],
          [
            "Tags",
            of.tags.length === 0 ? null : of.tags.map((tag) => <Chip key={tag.key}>{`${tag.key}: ${tag.value}`}</Chip>),
          ],
          ["Source", of.sourceRef === null ? null : <code key="source"><Breakable text={of.sourceRef} /></code>],
        ]}
      />
    </Section>
  );
}
