/** A priority as it is typed. Pure. */

const MOST = 2 ** 31 - 1;

/** The number, or what is wrong with the text. */
export function readPriority(typed: string): number | string {
  const text = typed.trim();
  if (!/^[+-]?\d+$/.test(text)) return "Give a whole number, such as 10 or -5.";
  const value = Number(text);
  return Math.abs(value) > MOST ? `Give a number between -${MOST} and ${MOST}.` : value;
}
