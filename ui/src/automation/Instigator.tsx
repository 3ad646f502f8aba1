/** What the pages of a schedule and of a sensor have in common: the head with the switch, and the definition. */
import type { ReactNode } from "react";

import { Breakable } from "../kit/Breakable";
import { Button } from "../kit/Button";
import { Chip, Facts } from "../kit/Facts";
import { Page, Section } from "../kit/Page";
import { Toggle } from "../kit/Toggle";
import { links } from "../links";
import { Markdown } from "../metadata/Markdown";
import css from "./automation.module.css";
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
  children: ReactNode;
}

export function InstigatorPage({ name, location, control, state, under, onDryRun, children }: InstigatorPageProps) {
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
