// The editor: CodeMirror, in colours that follow the page's.
import { autocompletion } from '@codemirror/autocomplete';
import { indentWithTab } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { completer } from './complete';
import type { Problem } from './desk';
import type { Types } from './types';

const COLORS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'light-dark(#b3253a, #ff7b72)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'light-dark(#0a3069, #a5d6ff)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#0550ae, #79c0ff)' },
  { tag: [tags.comment], color: 'light-dark(#59636e, #9198a1)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'light-dark(#6639ba, #d2a8ff)' },
  { tag: [tags.className, tags.typeName], color: 'light-dark(#8a4600, #ffa657)' },
]);

const LOOKS = EditorView.theme({
  '&': { minHeight: '0', color: 'inherit', backgroundColor: 'transparent', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "JetBrains Mono", Menlo, Consolas, monospace', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'light-dark(#1f2328, #e6edf3)' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'light-dark(#1f2328, #e6edf3)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'light-dark(#cfe3ff, #1f3b63)' },
  '.cm-activeLine': { backgroundColor: 'light-dark(#f3f6fa80, #161b2280)' },
  '.cm-gutters': { color: 'var(--soft)', backgroundColor: 'transparent', border: '0' },
  '.cm-activeLineGutter': { color: 'light-dark(#1f2328, #e6edf3)', backgroundColor: 'transparent' },
  '.cm-tooltip': { color: 'light-dark(#1f2328, #e6edf3)', backgroundColor: 'var(--paper)', border: '1px solid var(--line)', borderRadius: '6px', overflow: 'hidden', boxShadow: '0 8px 32px rgb(0 0 0 / .25)' },
  '.cm-tooltip.cm-completionInfo': { maxWidth: '360px', padding: '6px 10px', lineHeight: '1.45' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: '#ffffff', background: 'light-dark(#0860c4, #1f6feb)' },
  '.cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail': { color: '#ffffff' },
  '.cm-completionDetail': { color: 'var(--soft)', fontStyle: 'normal' },
  '.cm-panels': { color: 'inherit', backgroundColor: 'light-dark(#f6f8fa, #161b22)' },
  '.cm-textfield, .cm-button': { color: 'inherit', background: 'var(--paper)', border: '1px solid var(--line)', borderRadius: '4px' },
  '.cm-diagnostic': { padding: '6px 10px' },
  '.cm-foldPlaceholder': { color: 'var(--soft)', backgroundColor: 'transparent', border: '1px solid var(--line)' },
});

/** What the page asks of its editor. */
export interface Editor {
  text(): string;
  /** Another script: undo does not lead back. */
  replace(text: string): void;
  mark(problems: Problem[]): void;
  /** To a place, counted from 1. */
  go(line: number, column: number): void;
}

/** Puts an editor into a place of the page, behind a shadow root: its styles need no permission there. */
export function open(place: HTMLElement, types: Types, changed: () => void): Editor {
  const root = place.attachShadow({ mode: 'open' });
  const setting = [
    basicSetup, keymap.of([indentWithTab]), indentUnit.of('  '), javascript({ typescript: true }), autocompletion({ override: [completer(types)] }),
    syntaxHighlighting(COLORS), LOOKS, EditorView.contentAttributes.of({ 'aria-label': 'The script' }),
    EditorView.updateListener.of((update) => { if (update.docChanged) changed(); }),
  ];
  const view = new EditorView({ state: EditorState.create({ doc: '', extensions: setting }), parent: root, root });
  // Who has no mouse can scroll it, too.
  view.scrollDOM.tabIndex = 0;
  const at = ({ line, column }: { line: number; column: number }) => {
    const { doc } = view.state;
    const row = doc.line(Math.min(doc.lines, Math.max(1, line)));
    // Columns count characters, positions count code units.
    const units = [...row.text].slice(0, Math.max(0, column - 1)).join('').length;
    return Math.min(row.to, row.from + units);
  };
  return {
    text: () => view.state.doc.toString(),
    replace: (text) => view.setState(EditorState.create({ doc: text, extensions: setting })),
    mark: (problems) => {
      const marks = problems.filter(({ line }) => line > 0).map(({ line, column, severity, message, help }): Diagnostic => {
        const from = at({ line, column });
        const word = /^(['"`]).*?\1|^[\w$-]+|^\S/.exec(view.state.sliceDoc(from, view.state.doc.lineAt(from).to))?.[0] ?? '';
        return { from, to: from + word.length, severity, message: help ? `${message}\n${help}` : message };
      });
      view.dispatch(setDiagnostics(view.state, marks));
    },
    go: (line, column) => {
      const anchor = at({ line, column });
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      view.focus();
    },
  };
}
