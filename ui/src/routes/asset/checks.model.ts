/** The one status word of a check's result, and how the checks of an asset stand together. Pure. */

interface Execution {
  readonly status: string;
  readonly evaluation: { readonly success: boolean; readonly severity: string } | null;
}

/** A failed check of low severity is a warning, and a check without a result is not evaluated. */
export function checkStatus(execution: Execution | null): string {
  if (execution === null) return "NOT_EVALUATED";
  return execution.status === "FAILED" && execution.evaluation?.severity === "WARN" ? "WARNED" : execution.status;
}

/** How many checks did not pass when they were last evaluated, and how many of these only warn; null when all passed. */
export function checksText(checks: readonly { readonly latestExecution: Execution | null }[]): { status: "FAILED" | "WARNED"; text: string } | null {
  const statuses = checks.map(({ latestExecution }) => checkStatus(latestExecution));
  const warned = statuses.filter((status) => status === "WARNED").length;
  const failed = statuses.filter((status) => status === "FAILED" || status === "EXECUTION_FAILED").length;
  const of = `of ${checks.length} ${checks.length === 1 ? "check" : "checks"}`;
  if (failed > 0) return { status: "FAILED", text: warned > 0 ? `${failed} ${of} failed, ${warned} warned` : `${failed} ${of} failed` };
  return warned > 0 ? { status: "WARNED", text: `${warned} ${of} warned` } : null;
}
