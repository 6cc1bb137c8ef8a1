// Who compiles: `topomotion preview --playground`, which then serves this page, or a worker of the page itself.
import { Server } from './server';
import { Studio } from './studio';

/** Something that is wrong or doubtful, at a place (from 1) or nowhere in particular. */
export interface Problem { line: number; column: number; severity: 'error' | 'warning'; message: string; help: string }

/** What came of a script. */
export interface Result { bundle: object | undefined; problems: Problem[] }

/** What can be made of a script; `at` is in seconds. */
export interface Order { form: string; scenario?: string; at?: number }

/** Who compiles. */
export interface Desk {
  /** Draws a script; what is no longer of interest is given up. */
  compile(script: string, signal: AbortSignal): Promise<Result>;
  /** Makes a file of a script. */
  make(script: string, order: Order): Promise<Blob>;
}

/** The one that this page has: who serves it says so on its root element. */
export function open(): Desk {
  return document.documentElement.dataset['compiler'] === 'server' ? new Server() : new Studio();
}

/** The types that scripts may use. */
export async function types(): Promise<string> {
  return (await fetch('topomotion.d.ts')).text();
}

/** Scripts to begin with. */
export async function examples(): Promise<{ name: string; title: string; script: string }[]> {
  return await (await fetch('examples.json')).json() as { name: string; title: string; script: string }[];
}
