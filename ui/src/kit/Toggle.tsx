/** A switch: on or off, at once. */
import { Switch } from "react-aria-components";

import css from "./Toggle.module.css";

interface ToggleProps {
  label: string;
  hideLabel?: boolean;
  isOn: boolean;
  isDisabled?: boolean;
  onChange: (on: boolean) => void;
}

export function Toggle({ label, hideLabel = false, isOn, isDisabled = false, onChange }: ToggleProps) {
  return (
    <Switch
      className={css.toggle ?? ""}
      isSelected={isOn}
      isDisabled={isDisabled}
      onChange={onChange}
      {...(hideLabel ? { "aria-label": label } : {})}
    >
      <span className={css.track}>
        <span className={css.knob} />
      </span>
      {hideLabel ? null : label}
    </Switch>
  );
}
