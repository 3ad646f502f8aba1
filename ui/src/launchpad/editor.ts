/** The YAML editor: CodeMirror with the help that the config's schema gives. Loaded only with the launchpad. */
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  startCompletion,
} from "@codemirror/autocomplete";
import { history, historyKeymap, indentWithTab, standardKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { bootstrap } from "../services/bootstrap";
import { type KeyWords, type MarkedMistake, offersAt, wordsAt } from "./assist.model";
import type { ConfigType } from "./configTree.model";

export interface EditorOptions {
  readonly parent: HTMLElement;
  readonly text: string;
  readonly label: string;
  /** Asked at every completion and hover, so that a reloaded schema serves at once. */
  readonly schema: () => ConfigType | undefined;
  readonly onChange: (text: string) => void;
  /** Ctrl-Enter or Cmd-Enter. */
  readonly onSubmit: () => void;
}

export function createEditor(options: EditorOptions): EditorView {
  const submit = () => {
    options.onSubmit();
    return true;
  };
  return new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        lintGutter(),
        yaml(),
        syntaxHighlighting(HIGHLIGHT),
        autocompletion({ override: [(context) => complete(context, options.schema())], icons: false }),
        hoverTooltip((view, position) => hover(view, position, options.schema())),
        keymap.of([
          { key: "Mod-Enter", run: submit },
          ...completionKeymap,
          ...standardKeymap,
          ...historyKeymap,
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
        EditorView.contentAttributes.of({ "aria-label": options.label }),
        bootstrap.nonce === undefined ? [] : EditorView.cspNonce.of(bootstrap.nonce),
        LOOK,
      ],
    }),
  });
}

/** Puts another text in, as one change that can be undone. */
export function replaceText(view: EditorView, text: string): void {
  if (view.state.doc.toString() !== text)
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

/** Underlines mistakes. */
export function showMistakes(view: EditorView, mistakes: readonly MarkedMistake[]): void {
  const { doc } = view.state;
  view.dispatch(
    setDiagnostics(
      view.state,
      mistakes.map((mistake) => diagnostic(doc, mistake)),
    ),
  );
}

/** Moves to a place and gives it the focus. */
export function goToLine(view: EditorView, line: number, column: number): void {
  const at = view.state.doc.line(Math.min(view.state.doc.lines, line + 1));
  view.dispatch({ selection: { anchor: Math.min(at.to, at.from + column) }, scrollIntoView: true });
  view.focus();
}

function diagnostic(doc: Text, { line, from, to, message }: MarkedMistake): Diagnostic {
  const at = doc.line(Math.min(doc.lines, line + 1));
  return { from: Math.min(at.to, at.from + from), to: Math.min(at.to, at.from + to), severity: "error", message };
}

function complete(context: CompletionContext, schema: ConfigType | undefined): CompletionResult | null {
  if (!schema) return null;
  const line = context.state.doc.lineAt(context.pos);
  const found = offersAt(schema, context.state.doc.toString(), line.number - 1, context.pos - line.from);
  if (
    !found ||
    (!context.explicit &&
      context.pos === line.from + found.column &&
      line.text.trim() === "" &&
      line.number > 1 &&
      found.column === 0)
  ) {
    return null;
  }
  return {
    from: line.from + found.column,
    validFor: /^[\w.-]*$/,
    options: found.offers.map((offer, index) => ({
      label: offer.label,
      detail: offer.detail,
      boost: 50 - Math.min(index, 90),
      ...(offer.info === undefined ? {} : { info: offer.info }),
      apply: (view: EditorView, _: unknown, from: number, to: number) => {
        view.dispatch({
          changes: { from, to, insert: offer.insert },
          selection: { anchor: from + offer.insert.length },
        });
        if (offer.insert !== offer.label) startCompletion(view);
      },
    })),
  };
}

function hover(view: EditorView, position: number, schema: ConfigType | undefined) {
  if (!schema) return null;
  const line = view.state.doc.lineAt(position);
  const words = wordsAt(schema, view.state.doc.toString(), line.number - 1, position - line.from);
  if (!words) return null;
  return { pos: position, above: true, create: () => ({ dom: hoverBox(words) }) };
}

function hoverBox(words: KeyWords): HTMLElement {
  const box = document.createElement("div");
  box.className = "cm-words";
  const head = document.createElement("p");
  const name = document.createElement("b");
  name.textContent = words.name;
  const fallback = words.default === undefined ? "" : `, else ${words.default}`;
  head.append(name, ` ${words.type}${words.required ? ", required" : fallback}`);
  box.append(head);
  if (words.description) {
    const text = document.createElement("p");
    text.textContent = words.description;
    box.append(text);
  }
  return box;
}

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent-text)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--wait-text)" },
  { tag: tags.comment, color: "var(--text-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator], color: "var(--text-2)" },
]);

const LOOK: Extension = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "10px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--text-3)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--selected)",
  },
  ".cm-tooltip": {
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 10px", fontFamily: "var(--mono)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text)" },
  ".cm-completionDetail": { marginLeft: "12px", color: "var(--text-3)", fontStyle: "normal" },
  ".cm-completionInfo": { padding: "6px 10px", maxWidth: "320px" },
  ".cm-words": { padding: "6px 10px", maxWidth: "420px" },
  ".cm-diagnostic": { padding: "5px 10px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
});
