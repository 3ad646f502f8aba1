/** One choice among a few, one below the other, each with a word on what it means. */
import css from "./RadioList.module.css";

interface RadioListProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly { value: string; label: string; detail?: string }[];
}

export function RadioList({ label, value, onChange, options }: RadioListProps) {
  return (
    <fieldset className={css.list}>
      <legend className={css.legend}>{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={css.option}>
          <input
            type="radio"
            name={label}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
          {option.detail === undefined ? null : <span className={css.detail}>{option.detail}</span>}
        </label>
      ))}
    </fieldset>
  );
}
