// Completion from the types: what a builder can do, what an object may hold, which words a string may be.
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import type { SyntaxNode } from '@lezer/common';
import type { Member, Types } from './types';

/** Parameters that name a process of the script. */
const OF_PROCESS = new Set(['source', 'target', 'producer', 'node', 'one', 'other']);
/** How far a variable is followed to what it was made of. */
const DEPTH = 12;

/** What fits at the cursor. */
export function completer(types: Types): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const { state, pos } = context;
    const node = syntaxTree(state).resolveInner(pos, -1);
    const text = (one: SyntaxNode) => state.sliceDoc(one.from, one.to);
    if (node.name === 'String' || node.name === 'TemplateString') {
      const options = strings(types, state, node);
      return options.length ? { from: node.from + 1, options, validFor: /^[^'"`]*$/ } : null;
    }
    if (node.name.endsWith('Comment')) return null;
    const word = context.matchBefore(/\w*/);
    const from = word?.from ?? pos;
    const member = node.name === 'PropertyName' || node.name === '.' || node.name === '?.' ? above(node, 'MemberExpression') : null;
    if (member?.firstChild) {
      const owner = typeOf(types, state, member.firstChild, DEPTH);
      return owner ? { from, options: ofType(types, owner, false), validFor: /^\w*$/ } : null;
    }
    const object = above(node, 'ObjectExpression');
    if (object && isKey(node, object)) {
      const has = new Set(object.getChildren('Property').map((one) => one.firstChild && text(one.firstChild)));
      const options = objectTypes(types, state, object).flatMap((name) => ofType(types, name, true));
      const fresh = options.filter(({ label }, index) => !has.has(label) && options.findIndex((other) => other.label === label) === index);
      return fresh.length ? { from, options: fresh, validFor: /^\w*$/ } : null;
    }
    if (!context.explicit && from === pos) return null;
    const builders = [...types.shapes.values()].filter(({ isClass }) => isClass);
    const options: Completion[] = builders.map(({ name, doc }) => ({ label: name, type: 'class', info: doc }));
    for (const [name, owner] of variables(types, state)) options.push({ label: name, type: 'variable', detail: owner });
    return { from, options, validFor: /^\w*$/ };
  };
}

function above(node: SyntaxNode | null, name: string): SyntaxNode | null {
  for (let one = node; one; one = one.parent) {
    if (one.name === name) return one;
    if (['ArgList', 'Block', 'Script'].includes(one.name)) return null;
  }
  return null;
}

/** Whether what is being written is a name in this object, and not the value of one. */
function isKey(node: SyntaxNode, object: SyntaxNode): boolean {
  if (node.name === ':') return false;
  for (let one: SyntaxNode | null = node; one && one !== object; one = one.parent) {
    if (one.name === 'Property') return one.firstChild !== null && node.to <= one.firstChild.to;
  }
  return true;
}

/** What a type has, one entry for all ways to call the same method. */
function ofType(types: Types, name: string, isObject: boolean): Completion[] {
  const seen = new Map<string, Completion>();
  for (const one of types.members(name)) {
    if (one.name === 'constructor' || seen.has(one.name)) continue;
    const info = one.doc || undefined;
    seen.set(one.name, {
      label: one.name, type: one.params ? 'method' : 'property', detail: told(one), ...(info ? { info } : {}),
      apply: isObject && !one.params ? `${one.name}: ` : one.name, boost: one.optional ? 0 : 1,
    });
  }
  return [...seen.values()];
}

function told({ params, type }: Member): string {
  return params ? `(${params.map(({ name }) => name).join(', ')})` : type.length > 28 ? `${type.slice(0, 27)}…` : type;
}

/** The type of an expression, if it is one of ours. */
function typeOf(types: Types, state: EditorState, node: SyntaxNode, depth: number): string | undefined {
  if (depth === 0) return undefined;
  const text = state.sliceDoc(node.from, node.to);
  switch (node.name) {
    case 'NewExpression': {
      const of = node.getChild('VariableName');
      const name = of ? state.sliceDoc(of.from, of.to) : '';
      return types.shapes.has(name) ? name : undefined;
    }
    case 'CallExpression': {
      const callee = node.firstChild;
      if (callee?.name !== 'MemberExpression' || !callee.firstChild || !callee.lastChild) return undefined;
      const owner = typeOf(types, state, callee.firstChild, depth - 1);
      const name = state.sliceDoc(callee.lastChild.from, callee.lastChild.to);
      const method = owner && types.members(owner).find((one) => one.name === name);
      if (!method) return undefined;
      return method.type === 'this' ? owner : types.named(method.type)[0];
    }
    case 'MemberExpression': {
      const owner = node.firstChild && typeOf(types, state, node.firstChild, depth - 1);
      const name = node.lastChild ? state.sliceDoc(node.lastChild.from, node.lastChild.to) : '';
      const member = owner && types.members(owner).find((one) => one.name === name && !one.params);
      return member ? types.named(member.type)[0] : undefined;
    }
    case 'ParenthesizedExpression':
    case 'UnaryExpression':
    case 'AwaitExpression':
      return node.lastChild?.prevSibling ? typeOf(types, state, node.lastChild.name === ')' ? node.lastChild.prevSibling : node.lastChild, depth - 1) : undefined;
    case 'VariableName': {
      const made = declared(state, node.from).get(text);
      return made && typeOf(types, state, made, depth - 1);
    }
    default:
      return undefined;
  }
}

/** Variables that are declared before a place, and what they are made of. */
function declared(state: EditorState, before: number): Map<string, SyntaxNode> {
  const found = new Map<string, SyntaxNode>();
  syntaxTree(state).iterate({
    to: before,
    enter: ({ node }) => {
      if (node.name !== 'VariableDefinition' || node.to > before) return;
      let value = node.nextSibling;
      while (value && ['Equals', 'TypeAnnotation', '='].includes(value.name)) value = value.nextSibling;
      if (value) found.set(state.sliceDoc(node.from, node.to), value);
    },
  });
  return found;
}

function variables(types: Types, state: EditorState): [string, string][] {
  const all = [...declared(state, state.doc.length)];
  return all.flatMap(([name, made]): [string, string][] => {
    const owner = typeOf(types, state, made, DEPTH);
    return owner ? [[name, owner]] : [];
  });
}

/** The types of an argument, or of something in one: all that the ways to call the method allow. */
function argument(types: Types, state: EditorState, node: SyntaxNode): { name: string; type: string }[] {
  const list = node.parent;
  const call = list?.name === 'ArgList' ? list.parent : null;
  if (!list || !call) return [];
  let place = 0;
  for (let one = list.firstChild; one && one.from < node.from; one = one.nextSibling) if (one.name === ',') place += 1;
  let ways: Member[] = [];
  if (call.name === 'NewExpression') {
    const of = call.getChild('VariableName');
    ways = of ? types.members(state.sliceDoc(of.from, of.to)).filter((one) => one.name === 'constructor') : [];
  } else if (call.firstChild?.name === 'MemberExpression' && call.firstChild.firstChild && call.firstChild.lastChild) {
    const owner = typeOf(types, state, call.firstChild.firstChild, DEPTH);
    const name = state.sliceDoc(call.firstChild.lastChild.from, call.firstChild.lastChild.to);
    ways = owner ? types.members(owner).filter((one) => one.name === name) : [];
  }
  return ways.flatMap((one) => one.params?.[place] ?? []);
}

/** The shapes that an object may have. */
function objectTypes(types: Types, state: EditorState, object: SyntaxNode): string[] {
  return [...new Set(expected(types, state, object).flatMap(({ type }) => types.named(type)))];
}

/** What is expected where an expression stands: as an argument, a value in an object, an element of a list. */
function expected(types: Types, state: EditorState, node: SyntaxNode): { name: string; type: string }[] {
  const parent = node.parent;
  if (parent?.name === 'ArgList') return argument(types, state, node);
  if (parent?.name === 'ArrayExpression') return expected(types, state, parent);
  if (parent?.name !== 'Property' || !parent.firstChild || !parent.parent) return [];
  const name = state.sliceDoc(parent.firstChild.from, parent.firstChild.to).replace(/['"]/g, '');
  const owners = objectTypes(types, state, parent.parent);
  return owners.flatMap((owner) => types.members(owner)).filter((one) => one.name === name).map(({ type }) => ({ name, type }));
}

function strings(types: Types, state: EditorState, node: SyntaxNode): Completion[] {
  const wanted = expected(types, state, node);
  const words = [...new Set(wanted.flatMap(({ type }) => types.strings(type)))];
  const options: Completion[] = words.map((label) => ({ label, type: 'enum' }));
  if (wanted.some(({ name }) => OF_PROCESS.has(name))) {
    const ids = [...state.doc.toString().matchAll(/\bid:\s*['"`]([\w.-]+)['"`]|\b(?:createProcess|addProcess)\(\s*['"`]([\w.-]+)['"`]/g)];
    for (const id of new Set(ids.map(([, one, other]) => one ?? other!))) options.push({ label: id, type: 'constant', detail: 'a process' });
  }
  return options;
}
