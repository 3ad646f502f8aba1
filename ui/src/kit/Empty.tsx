/** What stands where there is nothing: why, and the way on. */
import { type ReactNode } from "react";

import css from "./Empty.module.css";
import { Icon, type IconName } from "./Icon";

interface EmptyProps {
  title: string;
  icon?: IconName;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ title, icon, children, action }: EmptyProps) {
  return (
    <div className={css.empty}>
      {icon === undefined ? null : (
        <span className={css.icon}>
          <Icon name={icon} size={20} />
        </span>
      )}
      <p className={css.title}>{title}</p>
      {children === undefined ? null : <div className={css.text}>{children}</div>}
      {action}
    </div>
  );
}
