/** The one status word of a check's result. Pure. */

interface Execution {
  readonly status: string;
  readonly evaluation: { readonly success: boolean; readonly severity: string } | null;
}

/** A failed check of low severity is a warning, and a check without a result is not evaluated. */
export function checkStatus(execution: Execution | null): string {
  if (execution === null) return "NOT_EVALUATED";
  return execution.status === "FAILED" && execution.evaluation?.severity === "WARN" ? "WARNED" : execution.status;
}
