/** Fields for text, of one line and of several, and for a choice. The label may be hidden, never missing. */
import { type InputHTMLAttributes, type Ref } from "react";

import { Icon, type IconName } from "./Icon";
import css from "./TextInput.module.css";
import { cx } from "./cx";

interface TextInputProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value" | "size"> {
  label: string;
  hideLabel?: boolean;
  value: string;
  onChange: (value: string) => void;
  icon?: IconName;
  ref?: Ref<HTMLInputElement>;
}

export function TextInput({ label, hideLabel = false, value, onChange, icon, className, ref, ...rest }: TextInputProps) {
  return (
    <label className={cx(css.field, className)}>
      {hideLabel ? null : <span className={css.label}>{label}</span>}
      <span className={css.box}>
        {icon === undefined ? null : <Icon name={icon} size={14} className={css.icon ?? ""} />}
        <input
          {...rest}
          ref={ref}
          aria-label={hideLabel ? label : undefined}
          className={css.input}
          value={value}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      </span>
    </label>
  );
}

interface SelectInputProps {
  label: string;
  hideLabel?: boolean;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: string }[];
  className?: string;
}

export function SelectInput({ label, hideLabel = false, value, onChange, options, className }: SelectInputProps) {
  return (
    <label className={cx(css.field, className)}>
      {hideLabel ? null : <span className={css.label}>{label}</span>}
      <span className={css.box}>
        <select
          aria-label={hideLabel ? label : undefined}
          className={css.select}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <Icon name="chevronDown" size={12} className={css.arrow ?? ""} />
      </span>
    </label>
  );
}

interface TextAreaProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  rows?: number;
  placeholder?: string;
}

/** Several lines of text, in letters of one width. */
export function TextArea({ label, value, onChange, rows = 4, placeholder }: TextAreaProps) {
  return (
    <label className={css.field}>
      <span className={css.label}>{label}</span>
      <textarea
        className={css.area}
        rows={rows}
        value={value}
        placeholder={placeholder}
        spellCheck={false}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
