/** How a page gets its data: one document, kept fresh by the topics it names, with the old answer shown meanwhile. */
import {
  keepPreviousData,
  QueryClient,
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { coalesce } from "./coalesce";
import { ask, type Document, operationName, ServerError } from "./gql";
import { useLive } from "./live";

const SHORTEST_REFETCH_MS = 250;
/** So many times as long as an answer took, it is not asked for again: a large one is not made all the time. */
const REST = 4;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      gcTime: 300_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => failures < 2 && error instanceof ServerError && error.passing,
      retryDelay: (attempt) => 700 * 2 ** attempt,
    },
  },
});

interface DataOptions {
  /** Topics whose change makes the answer stale. */
  live?: readonly string[];
  /** False: do not ask (yet). */
  enabled?: boolean;
  /** Ask again no sooner than so long after the last answer, however often the topics change. */
  pauseMs?: number;
}

/** The answer of a document, refetched when one of its topics changes. */
export function useData<Answer, Variables>(
  document: Document<Answer, Variables>,
  variables: Variables,
  { live = [], enabled = true, pauseMs = SHORTEST_REFETCH_MS }: DataOptions = {},
): UseQueryResult<Answer, Error> {
  const client = useQueryClient();
  const key = [operationName(document), variables];
  const answer = useQuery<Answer, Error>({
    queryKey: key,
    queryFn: ({ signal }) => ask(document, variables, signal),
    placeholderData: keepPreviousData as never,
    enabled,
  });
  const refetch = useCoalesced(() => client.invalidateQueries({ queryKey: key, exact: true }), REST, pauseMs);
  useLive(enabled ? live : [], refetch);
  return answer;
}

/** A mutation; `stale` names the operations whose answers it changes (besides what the live topics tell). */
export function useAction<Answer, Variables>(
  document: Document<Answer, Variables>,
  stale: readonly string[] = [],
): UseMutationResult<Answer, Error, Variables> {
  const client = useQueryClient();
  return useMutation<Answer, Error, Variables>({
    mutationFn: (variables) => ask(document, variables),
    onSettled: () => {
      for (const name of stale) void client.invalidateQueries({ queryKey: [name] });
    },
  });
}

/**
 * A function that runs the latest task at most once at a time; calls during a run lead to exactly one more run, which
 * comes `rest` times as long after it as it took, and `pauseMs` after it at least.
 */
export function useCoalesced(task: () => Promise<unknown>, rest = 0, pauseMs = SHORTEST_REFETCH_MS): () => void {
  const latest = useRef(task);
  useEffect(() => {
    latest.current = task;
  });
  const [run] = useState(() => coalesce(() => latest.current(), pauseMs, rest));
  return run;
}
