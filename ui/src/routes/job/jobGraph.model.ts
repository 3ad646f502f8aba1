/** A job's steps as a graph. Pure. */
import type { Edge } from "../../graph/layers.model";
import type { GraphNode } from "../../graph/node.model";
import type { JobDetailQuery } from "../../services/schema.gen";

export type Job = Extract<JobDetailQuery["pipelineOrError"], { __typename: "Pipeline" }>;
export type Step = Job["steps"][number];

/** One node per step, one edge per step that feeds another. */
export function jobGraph(steps: readonly Step[]): { nodes: GraphNode[]; edges: Edge[] } {
  const places = new Map(steps.map((step, place) => [step.key, place]));
  const nodes = steps.map((step): GraphNode => {
    const retries =
      step.maxRetries > 0 ? `${step.maxRetries} ${step.maxRetries === 1 ? "retry" : "retries"}` : undefined;
    return {
      id: step.key,
      label: step.key,
      status: "",
      note: stepNote(step),
      detail: retries,
      badge: step.computeKind ?? undefined,
    };
  });
  const edges: Edge[] = steps.flatMap((step, place) => {
    const upstream = new Set(step.inputs.flatMap((input) => input.upstreamKeys));
    return [...upstream].flatMap((key): Edge[] => {
      const from = places.get(key);
      return from === undefined ? [] : [[from, place]];
    });
  });
  return { nodes, edges };
}

/** What a step is, in a few words. */
export function stepNote(step: Step): string {
  if (step.kind === "UNRESOLVED_MAPPED") return "mapped";
  if (step.kind === "UNRESOLVED_COLLECT") return "collects";
  if (step.outputs.some((output) => output.isDynamic)) return "fans out";
  if (step.assetKeys.length > 1) return `${step.assetKeys.length} assets`;
  if (step.assetKeys.length === 1) return "asset";
  if (step.assetChecks.length > 0) return "check";
  return step.opName === step.key ? "op" : `op ${step.opName}`;
}
