/** Keeps hasty callers from starting the same work many times. */

const LONGEST_REST_MS = 3_000;

/**
 * A function that runs the task at most once at a time. Calls while it runs lead to exactly one more run, which begins
 * no sooner than `pauseMs` after the last one ended, nor than `rest` times as long as that one took, up to 3 s. A task
 * that fails does not stop later runs; its own caller reports.
 */
export function coalesce(task: () => Promise<unknown>, pauseMs: number, rest = 0): () => void {
  let running = false;
  let again = false;
  const rounds = async (): Promise<void> => {
    do {
      again = false;
      const began = performance.now();
      await Promise.allSettled([task()]);
      const pause = Math.max(pauseMs, Math.min(LONGEST_REST_MS, rest * (performance.now() - began)));
      await new Promise((resolve) => setTimeout(resolve, pause));
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
