/** Keeps hasty callers from starting the same work many times. */

/** So many times as long as a run took, there is none after it: a large answer is not asked for all the time. */
const REST = 4;
const LONGEST_REST_MS = 3_000;

/**
 * A function that runs the task at most once at a time. Calls while it runs lead to exactly one more run, which begins
 * no sooner than `pauseMs` after the last one ended, and later after one that took long. A task that fails does not
 * stop later runs; its own caller reports.
 */
export function coalesce(task: () => Promise<unknown>, pauseMs: number): () => void {
  let running = false;
  let again = false;
  const rounds = async (): Promise<void> => {
    do {
      again = false;
      const began = performance.now();
      await Promise.allSettled([task()]);
      const rest = Math.max(pauseMs, Math.min(LONGEST_REST_MS, REST * (performance.now() - began)));
      await new Promise((resolve) => setTimeout(resolve, rest));
    } while (again);
    running = false;
  };
  return () => {
    again = true;
    if (running) return;
    running = true;
    void rounds();
  };
}
