/** Buttons: `primary` for the one main deed of a place, `plain` by default, `quiet` in bars, `danger` for what destroys. */
import { type ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps, Tooltip, TooltipTrigger } from "react-aria-components";

import css from "./Button.module.css";
import { cx } from "./cx";
import { Icon, type IconName } from "./Icon";

interface ButtonProps extends Omit<AriaButtonProps, "children" | "className" | "style"> {
  variant?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  iconAfter?: IconName;
  children?: ReactNode;
  className?: string;
}

export function Button({ variant = "plain", icon, iconAfter, children, className, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} className={cx(css.button, css[variant], className)}>
      {icon === undefined ? null : <Icon name={icon} size={14} />}
      {children}
      {iconAfter === undefined ? null : <Icon name={iconAfter} size={12} />}
    </AriaButton>
  );
}

interface IconButtonProps extends Omit<ButtonProps, "children" | "icon" | "iconAfter"> {
  icon: IconName;
  /** Read aloud, and shown on hover. */
  label: string;
}

export function IconButton({ icon, label, variant = "quiet", className, ...rest }: IconButtonProps) {
  return (
    <TooltipTrigger delay={500} closeDelay={50}>
      <AriaButton {...rest} aria-label={label} className={cx(css.button, css.square, css[variant], className)}>
        <Icon name={icon} size={15} />
      </AriaButton>
      <Tooltip className={css.tooltip ?? ""} offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
