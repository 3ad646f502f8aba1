/** A run config with help while it is written, and what the server says of it. */
import type { EditorView } from "@codemirror/view";
import { useEffect, useMemo, useRef, useState } from "react";

import { ask } from "../services/gql";
import { CHECK_JOB_CONFIG } from "../services/jobs";
import type { ConfigMistake } from "../services/launch";
import type { PipelineSelector } from "../services/schema.gen";
import { markMistakes } from "./assist.model";
import css from "./ConfigEditor.module.css";
import type { ConfigType } from "./configTree.model";
import { createEditor, goToLine, replaceText, showMistakes } from "./editor";

interface ConfigEditorProps {
  label: string;
  /** Whose config it is: a job, or assets of a location. */
  selector: PipelineSelector;
  tree: ConfigType;
  text: string;
  onChange: (text: string) => void;
  /** A text to take the place of what is written, each time that it is another object. */
  put?: { readonly text: string } | undefined;
  /** Told whenever the text is found to have mistakes, or none that are known. */
  onVerdict: (isWrong: boolean) => void;
  /** Mistakes that a launch was refused for. */
  refused?: { text: string; mistakes: readonly ConfigMistake[] } | undefined;
  onSubmit: () => void;
}

/** How long typing rests before the server is asked. */
const CHECK_AFTER_MS = 350;

export default function ConfigEditor({ label, selector, tree, text, onChange, put, onVerdict, refused, onSubmit }: ConfigEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(null);
  const [check, setCheck] = useState<{ text: string; mistakes: readonly ConfigMistake[]; failure?: string }>();
  const said = refused?.text === text ? refused : check;
  const marked = useMemo(() => (said ? markMistakes(text, said.mistakes) : []), [text, said]);
  const latest = useRef({ tree, text, onChange, onSubmit });
  useEffect(() => {
    latest.current = { tree, text, onChange, onSubmit };
  });

  useEffect(() => {
    const view = createEditor({
      parent: host.current!,
      text: latest.current.text,
      label,
      schema: () => latest.current.tree,
      onChange: (typed) => latest.current.onChange(typed),
      onSubmit: () => latest.current.onSubmit(),
    });
    editor.current = view;
    return () => view.destroy();
  }, [label]);
  useEffect(() => {
    if (editor.current && put) replaceText(editor.current, put.text);
  }, [put]);

  const asked = JSON.stringify(selector);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      ask(CHECK_JOB_CONFIG, { selector: JSON.parse(asked) as PipelineSelector, config: text }, abort.signal).then(
        ({ isPipelineConfigValid: answer }) => {
          if (answer.__typename === "RunConfigValidationInvalid") setCheck({ text, mistakes: answer.errors });
          else if ("message" in answer) setCheck({ text, mistakes: [], failure: answer.message });
          else setCheck({ text, mistakes: [] });
        },
        (error: unknown) => {
          if (!abort.signal.aborted)
            setCheck({ text, mistakes: [], failure: error instanceof Error ? error.message : String(error) });
        },
      );
    }, CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, asked, tree]);

  const isWrong = marked.length > 0;
  useEffect(() => onVerdict(isWrong), [onVerdict, isWrong]);
  useEffect(() => {
    if (editor.current) showMistakes(editor.current, marked);
  }, [marked]);

  const state = said?.text !== text ? "checking" : "failure" in said && said.failure ? "unknown" : isWrong ? "wrong" : "right";
  return (
    <>
      <div ref={host} className={css.editor} />
      <section className={css.said} aria-label="Check of the config" data-state={state}>
        {state === "right" ? <p className={css.right}>The config is valid.</p> : null}
        {state === "checking" ? <p className={css.quiet}>Checking…</p> : null}
        {state === "unknown" ? <p className={css.wrong}>It could not be checked: {check?.failure}</p> : null}
        {isWrong ? (
          <ul className={css.mistakes}>
            {marked.map((mistake, index) => (
              <li key={index}>
                <button type="button" onClick={() => editor.current && goToLine(editor.current, mistake.line, mistake.from)}>
                  <span className={css.line}>line {mistake.line + 1}</span> {mistake.message}
                </button>
              </li>
            ))}
          </ul>
        ) : null}
      </section>
    </>
  );
}
