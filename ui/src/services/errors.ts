/** Exceptions as the API gives them, and the difference between an answer and an error in its place. */
import { gql } from "./gql";
import type { PythonErrorFragment } from "./schema.gen";

export type PythonError = PythonErrorFragment;

export const PYTHON_ERROR = gql`
  fragment PythonError on PythonError {
    __typename
    message
    className
    stack
    frames { file line function code user }
    rootCause { message className stack frames { file line function code user } }
    errorChain { message isExplicitLink error { message className stack frames { file line function code user } } }
  }
`;

/** An error that the API answered in place of what was asked for. */
export class AnsweredError extends Error {
  override readonly name = "AnsweredError";
  constructor(
    readonly kind: string,
    message: string,
    /** The exception behind it, when there is one. */
    readonly python: PythonError | null,
  ) {
    super(message);
  }
}

interface Answered {
  __typename: string;
  message?: unknown;
}

/**
 * The answer, when it is of the kind asked for.
 *
 * @throws AnsweredError when it is one of the API's errors.
 */
export function unwrap<T extends Answered, Kind extends T["__typename"]>(
  answer: T,
  ...kinds: Kind[]
): Extract<T, { __typename: Kind }> {
  if ((kinds as string[]).includes(answer.__typename)) return answer as Extract<T, { __typename: Kind }>;
  const python = answer.__typename === "PythonError" && "stack" in answer ? (answer as unknown as PythonError) : null;
  throw new AnsweredError(answer.__typename, String(answer.message ?? answer.__typename), python);
}
