/** Configs that were begun and not launched, kept in this browser for as long as the tab lives. */

const nameOf = (location: string, job: string): string => `penstock.draft.${location}/${job}`;

export function draftOf(location: string, job: string): string | undefined {
  try {
    return sessionStorage.getItem(nameOf(location, job)) ?? undefined;
  } catch {
    return undefined; // storage is barred: there are no drafts then
  }
}

/** Keeps a text, or forgets the draft. */
export function keepDraft(location: string, job: string, text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(nameOf(location, job));
    else sessionStorage.setItem(nameOf(location, job), text);
  } catch {
    // The draft then lasts as long as the page.
  }
}
