// `topomotion preview --playground` compiles: its command line does, and says what the command line says.
import type { Desk, Order, Problem, Result } from './desk';

const HEAD = /^<stdin>(?::(\d+):(\d+))?: (error|warning)\[([\w-]+)\]: (.*)$/;

/** What the command line says, taken apart. */
export function problems(told: string): Problem[] {
  const found: Problem[] = [];
  for (const line of told.split('\n')) {
    const head = HEAD.exec(line);
    if (head) {
      found.push({ line: Number(head[1] ?? 0), column: Number(head[2] ?? 0), severity: head[3] as Problem['severity'], message: head[5]!, help: '' });
      continue;
    }
    const help = /^\s*(?:= )?help: (.*)$/.exec(line)?.[1];
    const last = found.at(-1);
    if (help && last) last.help ||= help;
    const bare = /^(error|warning): (.*)$/.exec(line);
    if (bare && !/^(?:\d+ errors?|.* has mistakes)/.test(bare[2]!)) found.push({ line: 0, column: 0, severity: bare[1] as Problem['severity'], message: bare[2]!, help: '' });
  }
  return found;
}

async function ask(script: string, order: Order, signal?: AbortSignal): Promise<Response> {
  const wanted = new URLSearchParams({ form: order.form });
  if (order.scenario) wanted.set('scenario', order.scenario);
  if (order.at !== undefined) wanted.set('at', String(Math.round(order.at * 1000)));
  try {
    return await fetch(`compile?${wanted}`, { method: 'POST', body: script, headers: { 'content-type': 'text/plain; charset=utf-8' }, signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error('topomotion preview has ended: start it again');
  }
}

/** The command line behind the page. */
export class Server implements Desk {
  async compile(script: string, signal: AbortSignal): Promise<Result> {
    const answer = await ask(script, { form: 'bundle' }, signal);
    if (answer.ok) {
      const { bundle, told } = await answer.json() as { bundle: object; told: string };
      return { bundle, problems: problems(told) };
    }
    const told = await answer.text();
    const found = problems(told);
    return { bundle: undefined, problems: found.length ? found : [{ line: 0, column: 0, severity: 'error', message: told.trim() || answer.statusText, help: '' }] };
  }

  async make(script: string, order: Order): Promise<Blob> {
    const answer = await ask(script, order);
    if (!answer.ok) throw new Error((await answer.text()).trim().split('\n')[0] || answer.statusText);
    if (order.form !== 'bundle') return answer.blob();
    // It comes with what is to be said of it.
    const { bundle } = await answer.json() as { bundle: object };
    return new Blob([JSON.stringify(bundle)], { type: 'application/json' });
  }
}
