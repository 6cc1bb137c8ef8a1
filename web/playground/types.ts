// The types that scripts may use, read from topomotion.d.ts: as much of TypeScript as that file needs.

/** Something that an object has: a field, or one way to call a method. */
export interface Member { name: string; doc: string; type: string; params: Param[] | undefined; optional: boolean }

export interface Param { name: string; type: string }

/** An interface or a class. */
export interface Shape { name: string; doc: string; bases: string[]; isClass: boolean; members: Member[] }

export class Types {
  readonly shapes = new Map<string, Shape>();
  /** `type X = …`. */
  readonly aliases = new Map<string, string>();

  constructor(text: string) {
    let doc: string[] = [];
    let shape: Shape | undefined;
    let alias: { name: string; text: string } | undefined;
    let inDoc = false;
    for (const line of text.split('\n')) {
      const words = line.trim();
      if (alias) {
        alias.text += ` ${words}`;
      } else if (inDoc || words.startsWith('/**')) {
        if (words.startsWith('/**')) doc = [];
        const told = words.replace(/^\/\*\*\s?/, '').replace(/\*\/$/, '').replace(/^\*\s?/, '').trim();
        if (told) doc.push(told);
        inDoc = !words.endsWith('*/');
        continue;
      } else if (shape && words === '}') {
        shape = undefined;
      } else if (shape) {
        const member = read(words, doc.join(' '));
        if (member) shape.members.push(member);
        doc = [];
      } else {
        const opened = /^export (interface|class) (\w+)(?: extends ([\w, ]+))? \{$/.exec(words);
        const named = /^export type (\w+) =\s*(.*)$/.exec(words);
        if (opened) {
          shape = { name: opened[2]!, doc: doc.join(' '), bases: (opened[3] ?? '').split(',').map((base) => base.trim()).filter(Boolean), isClass: opened[1] === 'class', members: [] };
          this.shapes.set(shape.name, shape);
        } else if (named) alias = { name: named[1]!, text: named[2]! };
        if (words) doc = [];
      }
      if (alias?.text.endsWith(';')) {
        this.aliases.set(alias.name, alias.text.slice(0, -1));
        alias = undefined;
      }
    }
  }

  /** Everything that a type has, its bases' included. */
  members(name: string): Member[] {
    const shape = this.shapes.get(name);
    return shape ? [...shape.members, ...shape.bases.flatMap((base) => this.members(base))] : [];
  }

  /** The shapes that a type names: `Omit<ProcessConfig, 'id'>` names one. */
  named(type: string): string[] {
    return [...type.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name).flatMap((name) => {
      const alias = this.aliases.get(name);
      return this.shapes.has(name) ? [name] : alias ? this.named(alias) : [];
    });
  }

  /** The strings that a type allows: `'all' | 0` allows one. */
  strings(type: string): string[] {
    const own = [...type.matchAll(/'([^']*)'/g)].map(([, text]) => text!);
    const of = [...type.replace(/'[^']*'/g, '').matchAll(/\b[A-Z]\w+/g)].map(([name]) => this.aliases.get(name) ?? '');
    return [...own, ...of.flatMap((alias) => (alias ? this.strings(alias) : []))];
  }
}

/** `name?: Type;` or `name(param: Type, …): Type;`. */
function read(words: string, doc: string): Member | undefined {
  const method = /^(\w+)\((.*)\)(?:: (.*))?;$/.exec(words);
  if (method) {
    return { name: method[1]!, doc, type: method[3] ?? '', params: split(method[2]!), optional: false };
  }
  const field = /^(\w+)(\?)?: (.*);$/.exec(words);
  return field ? { name: field[1]!, doc, type: field[3]!, params: undefined, optional: Boolean(field[2]) } : undefined;
}

/** Parameters, at the commas that stand in no bracket. */
function split(text: string): Param[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const letter of text) {
    if ('(<[{'.includes(letter)) depth += 1;
    if (')>]}'.includes(letter)) depth -= 1;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean).map((part) => {
    const at = part.indexOf(':');
    return { name: part.slice(0, at).replace('?', '').trim(), type: part.slice(at + 1).trim() };
  });
}
