/** Where a name without spaces may go on in the next line. Pure. */

const AFTER_JOINT = /(?<=[_/.\-:])(?=[^_/.\-:])/;

/** "raw/daily_delays" as "raw/", "daily_", "delays": a line may break between two pieces. */
export function breakable(text: string): string[] {
  return text.split(AFTER_JOINT);
}
