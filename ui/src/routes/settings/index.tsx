/** What a reader chooses for this browser. */
import { useState } from "react";

import { Page, Section } from "../../kit/Page";
import { SelectInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { Toggle } from "../../kit/Toggle";
import { type Preferences, setPreferences, usePreferences, zoneOf } from "../../services/preferences";
import css from "./Settings.module.css";

const THEMES = [
  { value: "system", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

const CLOCKS = [
  { value: "24", label: "24 hours" },
  { value: "12", label: "12 hours" },
];

const DENSITIES = [
  { value: "comfortable", label: "Comfortable" },
  { value: "compact", label: "Compact" },
];

export default function SettingsPage() {
  const chosen = usePreferences();
  const [now] = useState(() => Date.now() / 1000);
  const browser = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [
    { value: "browser", label: `As the browser (${browser})` },
    { value: "UTC", label: "UTC" },
    ...Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") })),
  ];
  return (
    <Page title="Settings" under="Kept in this browser.">
      <Section>
        <div className={css.form}>
          <SelectInput
            label="Theme"
            value={chosen.theme}
            options={THEMES}
            onChange={(theme) => setPreferences({ theme: theme as Preferences["theme"] })}
          />
          <SelectInput
            label="Row height"
            value={chosen.density}
            options={DENSITIES}
            onChange={(density) => setPreferences({ density: density as Preferences["density"] })}
          />
          <SelectInput
            label="Time zone"
            value={chosen.timeZone}
            options={zones}
            onChange={(timeZone) => setPreferences({ timeZone })}
          />
          <SelectInput
            label="Clock"
            value={chosen.hourCycle}
            options={CLOCKS}
            onChange={(hourCycle) => setPreferences({ hourCycle: hourCycle as Preferences["hourCycle"] })}
          />
          <p className={css.example}>
            Now is <Time at={now} /> in {zoneOf(chosen).replaceAll("_", " ")}.
          </p>
          <Toggle label="Single-key shortcuts" isOn={chosen.shortcuts} onChange={(shortcuts) => setPreferences({ shortcuts })} />
        </div>
      </Section>
    </Page>
  );
}
