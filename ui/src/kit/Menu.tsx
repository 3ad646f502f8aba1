/** A menu behind a button. */
import { type ReactElement } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

import { Icon, type IconName } from "./Icon";
import css from "./Menu.module.css";
import { cx } from "./cx";

export interface MenuEntry {
  id: string;
  label: string;
  icon?: IconName;
  /** What it means, in a smaller line. */
  detail?: string;
  danger?: boolean;
  isDisabled?: boolean;
  onAction: () => void;
}

interface MenuProps {
  /** The button that opens it. */
  trigger: ReactElement;
  label: string;
  entries: readonly MenuEntry[];
}

export function Menu({ trigger, label, entries }: MenuProps) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={css.popover ?? ""} placement="bottom end" offset={4}>
        <AriaMenu aria-label={label} className={css.menu ?? ""} items={entries} dependencies={[entries]}>
          {(entry) => (
            <MenuItem
              id={entry.id}
              textValue={entry.label}
              isDisabled={entry.isDisabled ?? false}
              onAction={entry.onAction}
              className={cx(css.item, entry.danger && css.danger)}
            >
              {entry.icon === undefined ? null : <Icon name={entry.icon} size={14} />}
              <span className={css.words}>
                {entry.label}
                {entry.detail === undefined ? null : <span className={css.detail}>{entry.detail}</span>}
              </span>
            </MenuItem>
          )}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
