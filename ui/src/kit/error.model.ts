/** Orders what is known of an exception for a reader: the root cause first, the user's own lines before ours. Pure. */

export interface Frame {
  file: string;
  line: number;
  function: string;
  code: string;
  user: boolean;
}

export interface Exception {
  message: string;
  className: string | null;
  stack: string[];
  frames: Frame[];
}

export interface ExceptionTree extends Exception {
  rootCause: Exception | null;
  errorChain: { message: string; isExplicitLink: boolean; error: Exception }[];
}

/** Frames next to each other of the same kind: the user's are shown, ours are folded. */
export interface FrameGroup {
  user: boolean;
  frames: Frame[];
}

export interface ErrorStory {
  /** What to read first. */
  cause: Exception;
  /** The exceptions around it, nearest first. */
  around: { exception: Exception; explicit: boolean }[];
}

export function errorStory(error: ExceptionTree): ErrorStory {
  const cause = error.rootCause ?? error;
  const chain = [
    { exception: error as Exception, explicit: true },
    ...error.errorChain.map((link) => ({ exception: link.error, explicit: link.isExplicitLink })),
  ];
  const around = chain.filter(({ exception }) => !sameException(exception, cause));
  return { cause, around: around.toReversed() };
}

function sameException(one: Exception, other: Exception): boolean {
  return one.className === other.className && one.message === other.message && one.stack.length === other.stack.length;
}

export function frameGroups(frames: readonly Frame[]): FrameGroup[] {
  const groups: FrameGroup[] = [];
  for (const frame of frames) {
    const last = groups.at(-1);
    if (last !== undefined && last.user === frame.user) last.frames.push(frame);
    else groups.push({ user: frame.user, frames: [frame] });
  }
  return groups;
}

/** "RuntimeError: publishing failed", without the class name twice. */
export function headline(exception: Pick<Exception, "className" | "message">): string {
  const { className } = exception;
  const message = exception.message.trim();
  if (className === null || message.startsWith(`${className}:`) || message === className) return message;
  return message === "" ? className : `${className}: ${message}`;
}

/** The whole of it as text, for the clipboard. */
export function errorText(error: ExceptionTree): string {
  const { cause, around } = errorStory(error);
  return [cause, ...around.map((link) => link.exception)]
    .map((exception) => [headline(exception), ...exception.stack].join("\n"))
    .join("\n\n");
}
