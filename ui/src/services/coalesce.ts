/** Keeps hasty callers from starting the same work many times. */

/**
 * A function that runs the task at most once at a time. Calls while it runs lead to exactly one more run, which begins
 * no sooner than `pauseMs` after the last one ended. A task that fails does not stop later runs; its own caller reports.
 */
export function coalesce(task: () => Promise<unknown>, pauseMs: number): () => void {
  let running = false;
  let again = false;
  const rounds = async (): Promise<void> => {
    do {
      again = false;
      await Promise.allSettled([task()]);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
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
