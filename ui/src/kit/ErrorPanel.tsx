/** Errors in the place where they happened: exceptions with the root cause first, and requests that failed. */
import { type ReactNode } from "react";

import { AnsweredError } from "../services/errors";
import { ServerError } from "../services/gql";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import css from "./ErrorPanel.module.css";
import { type Exception, type ExceptionTree, errorStory, errorText, type FrameGroup, frameGroups, headline } from "./error.model";
import { Icon } from "./Icon";

interface ErrorPanelProps {
  error: ExceptionTree;
  /** What failed, in a few words. */
  title?: ReactNode;
  actions?: ReactNode;
}

/** An exception of user code or of the engine. */
export function ErrorPanel({ error, title, actions }: ErrorPanelProps) {
  const { cause, around } = errorStory(error);
  return (
    <section className={css.panel} aria-label="Error">
      <header className={css.head}>
        <Icon name="warning" />
        <div className={css.titles}>
          {title === undefined ? null : <p className={css.what}>{title}</p>}
          <p className={css.headline}>{headline(cause)}</p>
        </div>
        {actions}
        <CopyButton text={() => errorText(error)} label="Copy the error" />
      </header>
      <Frames exception={cause} />
      {around.map(({ exception, explicit }, index) => (
        <details key={index} className={css.around}>
          <summary>
            {explicit ? "Raised as" : "While handling it"}: {headline(exception)}
          </summary>
          <Frames exception={exception} />
        </details>
      ))}
    </section>
  );
}

function Frames({ exception }: { exception: Exception }) {
  if (exception.frames.length === 0) {
    return exception.stack.length === 0 ? null : <pre className={css.stack}>{exception.stack.join("\n")}</pre>;
  }
  return (
    <ol className={css.frames}>
      {frameGroups(exception.frames).map((group, index) => (
        <FrameGroupLines key={index} group={group} />
      ))}
    </ol>
  );
}

function FrameGroupLines({ group }: { group: FrameGroup }) {
  const lines = group.frames.map((frame, index) => (
    <div key={index} className={css.frame}>
      <p className={css.place}>
        <span className={css.file}>{frame.file}</span>:{frame.line} in <b>{frame.function}</b>
      </p>
      {frame.code === "" ? null : <pre className={css.code}>{frame.code.trim()}</pre>}
    </div>
  ));
  if (group.user) return <li>{lines}</li>;
  return (
    <li>
      <details className={css.folded}>
        <summary>{group.frames.length === 1 ? "1 library frame" : `${group.frames.length} library frames`}</summary>
        {lines}
      </details>
    </li>
  );
}

interface FailureProps {
  error: unknown;
  /** What could not be done. */
  title?: string;
  onRetry?: () => void;
}

/** A request that failed, or was answered with an error. */
export function Failure({ error, title, onRetry }: FailureProps) {
  const retry = onRetry === undefined ? null : (
    <Button icon="reload" onPress={onRetry}>
      Try again
    </Button>
  );
  if (error instanceof AnsweredError && error.python !== null) {
    return <ErrorPanel error={error.python} title={title} actions={retry} />;
  }
  const message = error instanceof Error ? error.message : String(error);
  return (
    <section className={css.panel} role="alert">
      <header className={css.head}>
        <Icon name="warning" />
        <div className={css.titles}>
          {title === undefined ? null : <p className={css.what}>{title}</p>}
          <p className={css.headline}>{message}</p>
          {error instanceof ServerError && error.detail !== "" ? <pre className={css.detail}>{error.detail}</pre> : null}
        </div>
        {retry}
      </header>
    </section>
  );
}
