// A worker of the page compiles: the command line's own road as a wasm module, no server. A script runs in the script engine
// inside that module, which imports a clock and nothing else: neither the page nor the network nor the worker is in its reach.
import type { Desk, Order, Problem, Result } from './desk';

/** What the worker is asked. */
export type Question =
  | { call: 'compile' | 'give-up'; script: string }
  | { call: 'make'; order: Order }
  | { call: 'parts'; player: string; engine: ArrayBuffer };

/** What it answers. */
export interface Answer { well: boolean; problems: Problem[]; printed: string[]; made: Uint8Array<ArrayBuffer> | undefined; memory: number }

/** How long a script may take, ms: its own limit, and a little. One that takes longer hangs in a built-in. */
const SCRIPT_MAX = 5500;
/** How long a picture may take, ms. */
const PICTURE_MAX = 60_000;
/** A worker that has taken more memory than this is let go when its work is done, bytes: wasm gives none back. */
const MEMORY_MAX = 400 << 20;

const KINDS: Record<string, string> = { bundle: 'application/json', svg: 'image/svg+xml', gif: 'image/gif', png: 'image/png', html: 'text/html' };

class Late extends Error {}

/** The module, fetched once; every worker gets it ready to run. */
async function load(): Promise<WebAssembly.Module> {
  const response = await fetch('studio.wasm.gz').catch(() => undefined);
  if (!response?.ok) throw new Error('the studio (studio.wasm.gz) could not be fetched: it belongs beside this page');
  let bytes = await response.arrayBuffer();
  // Some servers send it unpacked.
  if (new Uint8Array(bytes)[0] === 0x1f) bytes = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  return WebAssembly.compile(bytes).catch(() => {
    throw new Error('the studio cannot be run here: it is damaged, or the page’s policy lacks ‘wasm-unsafe-eval’');
  });
}

/** A worker, and what it holds. */
class Hand {
  readonly #worker = new Worker('worker.js');
  #fail: ((reason: Error) => void) | undefined;
  /** The script that it has compiled last, if files can be made of it. */
  script: string | undefined;
  /** Whether it has what pages are made of. */
  hasParts = false;

  constructor(module: WebAssembly.Module) {
    this.#worker.postMessage(module);
  }

  /** One question at a time. Fails with `Late` if there is no answer in time; then only `end` is left to do. */
  ask(question: Question, patience: number): Promise<Answer> {
    return new Promise((done, fail) => {
      this.#fail = fail;
      const timer = setTimeout(() => fail(new Late()), patience);
      this.#worker.onmessage = ({ data }: MessageEvent<Answer | string>) => {
        clearTimeout(timer);
        if (typeof data === 'string') fail(new Error(data));
        else done(data);
      };
      this.#worker.onerror = () => {
        clearTimeout(timer);
        fail(new Error('the worker (worker.js) could not be started: it belongs beside this page'));
      };
      this.#worker.postMessage(question);
    });
  }

  end(): void {
    this.#worker.terminate();
    this.#fail?.(new Error('given up'));
  }
}

/** The studio in a worker. */
export class Studio implements Desk {
  #module: Promise<WebAssembly.Module> | undefined;
  #hand: Hand | undefined;
  /** Whoever comes waits for who is there. */
  #turn: Promise<unknown> = Promise.resolve();

  compile(script: string, signal: AbortSignal): Promise<Result> {
    return this.#next(async () => {
      signal.throwIfAborted();
      const giveUp = () => this.#drop();
      signal.addEventListener('abort', giveUp);
      try {
        await this.#get();
        signal.throwIfAborted();
        return await this.#draw(script);
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    });
  }

  make(script: string, order: Order): Promise<Blob> {
    return this.#next(async () => {
      const hand = await this.#get();
      if (hand.script !== script) {
        const { well, problems } = await this.#compiled(script);
        if (!well) throw new Error(problems.find(({ severity }) => severity === 'error')?.message ?? 'the script has a mistake');
      }
      const { made, problems } = await this.#made(order);
      if (!made) throw new Error(problems.find(({ severity }) => severity === 'error')?.message ?? 'it could not be made');
      return new Blob([made], { type: KINDS[order.form] ?? 'application/octet-stream' });
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #get(): Promise<Hand> {
    this.#module ??= load();
    try {
      return this.#hand ??= new Hand(await this.#module);
    } catch (error) {
      this.#module = undefined;
      throw error;
    }
  }

  #drop(): void {
    this.#hand?.end();
    this.#hand = undefined;
  }

  async #ask(question: Question, patience: number): Promise<Answer> {
    const hand = await this.#get();
    try {
      const answer = await hand.ask(question, patience);
      if (answer.printed.length) console.log(answer.printed.join('\n'));
      return answer;
    } catch (error) {
      if (this.#hand === hand) this.#drop();
      throw error;
    }
  }

  async #compiled(script: string): Promise<Answer> {
    try {
      const answer = await this.#ask({ call: 'compile', script }, SCRIPT_MAX);
      if (this.#hand) this.#hand.script = answer.well ? script : undefined;
      if (!answer.well && answer.memory > MEMORY_MAX) this.#drop();
      return answer;
    } catch (error) {
      if (error instanceof Late) return this.#ask({ call: 'give-up', script }, PICTURE_MAX);
      throw error;
    }
  }

  async #draw(script: string): Promise<Result> {
    const { well, problems } = await this.#compiled(script);
    if (!well) return { bundle: undefined, problems };
    const drawn = await this.#made({ form: 'bundle' });
    const bundle = drawn.made && JSON.parse(new TextDecoder().decode(drawn.made)) as object;
    return { bundle, problems: [...problems, ...drawn.problems] };
  }

  async #made(order: Order): Promise<Answer> {
    const hand = await this.#get();
    if (order.form === 'html' && !hand.hasParts) {
      const part = async (name: string) => {
        const response = await fetch(`../${name}`);
        if (!response.ok) throw new Error(`${name} could not be fetched: it belongs in the folder above this page`);
        return response;
      };
      const [player, engine] = await Promise.all([part('topomotion-viewer.js'), part('topomotion-live.wasm.gz')]);
      await this.#ask({ call: 'parts', player: await player.text(), engine: await engine.arrayBuffer() }, PICTURE_MAX);
      hand.hasParts = true;
    }
    try {
      const answer = await this.#ask({ call: 'make', order }, PICTURE_MAX);
      if (answer.memory > MEMORY_MAX) this.#drop();
      return answer;
    } catch (error) {
      if (error instanceof Late) throw new Error(`it took longer than ${PICTURE_MAX / 1000} s`);
      throw error;
    }
  }
}
