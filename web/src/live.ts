// The engine in the page: a run taken over at a moment. The other half is crates/live/src/page.rs.
import { check, inflate, letters, ViewerError, type Bundle } from './bundle';
import { button, clock, make } from './dom';

interface Exports {
  memory: WebAssembly.Memory;
  tm_live_room(count: number): number;
  tm_live_answer(): number;
  tm_live_length(): number;
  tm_live_open(): number;
  tm_live_play(): number;
}

/** Something done by hand: when, in µs of engine time, and what, in the words of a run file. */
export interface Deed { at: number; do: string; [argument: string]: unknown }

/** When a run was taken over, in µs of engine time, and what was done since. */
export interface Branch { from: number; deeds: Deed[] }

/** A run, played and drawn. */
export interface Take {
  bundle: Bundle;
  /** Engine time (µs), and playing time (ms) at which it is entered and left. */
  clock: [number, number, number][];
  /** From when on (µs) a process is `running`, `paused` or `stopped`. */
  states: [number, string, string][];
  processes: { id: string; label: string; kind: string }[];
  topics: { name: string; partitions: number }[];
  deeds: number[];
  end: number;
  notes: string[];
  digest: string;
  script: string;
}

/** The engine, with the runs of one film. */
export class Engine {
  readonly #wasm: Exports;

  private constructor(wasm: Exports) {
    this.#wasm = wasm;
  }

  /** Loads the engine (the text of a page, or a file) and gives it the runs of a bundle. */
  static async open(live: string, packed: string | undefined, url: URL): Promise<Engine> {
    let bytes: ArrayBuffer;
    if (packed) bytes = letters(packed).buffer;
    else {
      const response = await fetch(url).catch(() => undefined);
      if (!response?.ok) throw new ViewerError(`the engine (${url.pathname.split('/').pop()}) could not be fetched: it belongs beside the player`);
      bytes = await response.arrayBuffer();
    }
    // Some servers send it unpacked.
    if (new Uint8Array(bytes)[0] === 0x1f) {
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
      bytes = await new Response(stream).arrayBuffer().catch(() => new ArrayBuffer(0));
    }
    const { instance } = await WebAssembly.instantiate(bytes).catch(() => {
      throw new ViewerError('the engine cannot be run here: it is damaged, or the page’s policy lacks ‘wasm-unsafe-eval’');
    });
    const engine = new Engine(instance.exports as unknown as Exports);
    engine.#ask('tm_live_open', await inflate(live));
    return engine;
  }

  /** Plays a scenario: as its script has it, or as somebody went on with it. */
  play(story: string, branch?: Branch): Take {
    const answer = this.#ask('tm_live_play', new TextEncoder().encode(JSON.stringify({ story, branch: branch ?? null })));
    const take = JSON.parse(answer) as Take;
    check(take.bundle, 'what the engine gave');
    return take;
  }

  #ask(call: 'tm_live_open' | 'tm_live_play', input: Uint8Array): string {
    const { memory, tm_live_room, tm_live_answer, tm_live_length } = this.#wasm;
    let well: number;
    try {
      const room = tm_live_room(input.length);
      new Uint8Array(memory.buffer, room, input.length).set(input);
      well = this.#wasm[call]();
    } catch {
      throw new ViewerError('the engine broke down; what was done before is kept');
    }
    const answer = new TextDecoder().decode(new Uint8Array(memory.buffer, tm_live_answer(), tm_live_length()));
    if (!well) throw new ViewerError(answer);
    return answer;
  }
}

/** Engine time (µs) at a moment of the film (ms). */
export function engineTime({ clock: knots, end }: Take, ms: number): number {
  let before: [number, number, number] | undefined;
  for (const knot of knots) {
    const [time, enter] = knot;
    if (ms < enter) {
      if (!before) return 0;
      const [from, , leave] = before;
      return ms <= leave ? from : Math.round(from + (time - from) * (ms - leave) / (enter - leave));
    }
    before = knot;
  }
  return before && ms <= before[2] ? before[0] : Math.max(end, before?.[0] ?? 0);
}

/** The moment of the film (ms) at which an instant (µs) is shown. */
export function playingTime({ clock: knots }: Take, time: number): number {
  let before: [number, number, number] | undefined;
  for (const knot of knots) {
    const [at, enter] = knot;
    if (time === at) return enter;
    if (time < at) {
      if (!before) return enter;
      const [from, , leave] = before;
      return leave + (enter - leave) * (time - from) / (at - from);
    }
    before = knot;
  }
  return before?.[2] ?? 0;
}

/** What the panel asks for. */
export interface Asks {
  /** Now, ms of the film. */
  now(): number;
  /** Goes to a moment. */
  seek(at: number): void;
  /** Shows a take, at a moment of it; plays on if so wished. */
  show(take: Take, at: number, plays: boolean): void;
  /** Back to the film. */
  leave(): void;
  tell(name: string, detail: unknown): void;
}

const STATES: Record<string, string> = { running: 'runs', paused: 'stands still', stopped: 'is down' };

/** The board of levers below the picture while a run is taken over. */
export class Live {
  readonly panel = make('div', { class: 'live', part: 'live', role: 'group', 'aria-label': 'Live engine', hidden: true });
  readonly #asks: Asks;
  readonly #process = make('select', { 'aria-label': 'Process' });
  readonly #state = make('small', { class: 'how' });
  readonly #on: Record<string, HTMLButtonElement>;
  readonly #producer = make('select', { 'aria-label': 'Producer' });
  readonly #topic = make('select', { 'aria-label': 'Topic' });
  readonly #key = make('input', { 'aria-label': 'Key', placeholder: 'key', class: 'short', autocomplete: 'off' });
  readonly #count = make('input', { 'aria-label': 'How many records', type: 'number', min: '1', max: '1000', value: '1', class: 'tiny' });
  readonly #line = make('input', { 'aria-label': 'Admin command', placeholder: 'set topic …', autocomplete: 'off' });
  readonly #lines = make('datalist');
  readonly #deeds = make('ol', { class: 'deeds', 'aria-label': 'What was done' });
  readonly #notes = make('p', { class: 'notes', role: 'status' });
  readonly #script = make('div', { class: 'script', hidden: true });
  readonly #text = make('textarea', { readonly: true, 'aria-label': 'The run as a scenario', rows: '10', spellcheck: 'false' });
  readonly #undo: HTMLButtonElement;
  readonly #send = make('span', { class: 'set' });
  #engine: Engine | undefined;
  #story = '';
  #branch: Branch = { from: 0, deeds: [] };
  #past: Branch[] = [];
  #take: Take | undefined;
  /** A deed to which time was wound back: how many deeds stay, and where the film stands then. */
  #back: { kept: number; at: number } | undefined;

  constructor(asks: Asks) {
    this.#asks = asks;
    const lever = (words: string, title: string, act: () => void) => {
      const made = make('button', { type: 'button', title }, words);
      made.addEventListener('click', act);
      return made;
    };
    const process = (name: string) => () => this.act({ do: name, process: this.#process.value });
    this.#on = {
      crash: lever('Crash', 'It dies at once; its disk stays', process('crash')),
      pause: lever('Pause', 'It stands still, as in a long garbage collection', process('pause')),
      resume: lever('Go on', 'It goes on', process('resume')),
      restart: lever('Restart', 'It is killed, and starts again on its disk', process('restart')),
      start: lever('Start', 'It starts: a consumer joins its group', process('start')),
      shutdown: lever('Shut down', 'It stops in good order: a consumer leaves its group', process('shutdown')),
      cut: lever('Cut off', 'No message passes between it and the others', () => this.#cut()),
    };
    const heal = lever('Heal all', 'The network is whole again, and what stood still goes on', () => this.act({ do: 'heal' }));
    this.#send.append('Send ', this.#count, ' × ', this.#key, ' from ', this.#producer, ' to ', this.#topic, lever('Send', 'The producer sends', () => this.#produce()));
    this.#lines.id = 'lines';
    this.#line.setAttribute('list', 'lines');
    const ask = () => {
      if (this.#line.value.trim()) this.act({ do: 'admin', what: this.#line.value.trim() });
    };
    this.#line.addEventListener('keydown', (event) => { if (event.key === 'Enter') ask(); });
    this.#undo = lever('Undo', 'Take back the last change', () => this.undo());
    const close = button('close', 'Close', () => { this.#script.hidden = true; });
    const copy = lever('Copy', 'Copy to the clipboard', () => {
      this.#text.select();
      void navigator.clipboard?.writeText(this.#text.value).then(() => { this.#notes.textContent = 'Copied: put it at the end of the script.'; }, () => {});
    });
    const save = lever('Download', 'Save as a file', () => {
      const link = make('a', { href: URL.createObjectURL(new Blob([this.#text.value], { type: 'text/plain' })), download: `${this.#story}-by-hand.ts` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    this.#script.append(this.#text, make('span', { class: 'set' }, copy, save, close));
    this.panel.append(
      make('div', { class: 'levers' },
        make('b', { class: 'badge' }, 'LIVE'),
        make('span', { class: 'set' }, this.#process, ...Object.values(this.#on), this.#state),
        make('span', { class: 'set' }, heal),
        this.#send,
        make('span', { class: 'set' }, 'Admin ', this.#line, this.#lines, lever('Ask', 'The admin client asks the cluster', ask)),
        make('span', { class: 'set' },
          lever('Let 5 s pass', 'At the end of the run: it goes on', () => this.act({ do: 'wait', ms: 5000 }, true)),
          this.#undo,
          lever('Save as a script', 'The run as a scenario of a script', () => { this.#script.hidden = !this.#script.hidden; }),
          lever('Back to the film', 'Leave the live engine', () => this.leave())),
      ),
      this.#deeds, this.#notes, this.#script,
    );
    this.#process.addEventListener('change', () => this.follow());
    // What is typed here is no command to the player.
    this.panel.addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement) event.stopPropagation();
    });
  }

  get isOpen(): boolean {
    return !this.panel.hidden;
  }

  /** What was done, and when it began. */
  get branch(): Branch {
    return this.#branch;
  }

  /** The last take. */
  get take(): Take | undefined {
    return this.#take;
  }

  /** Takes a scenario over, at a moment that is counted from its own beginning (ms of its film). */
  begin(engine: Engine, story: string, at: number): void {
    this.#engine = engine;
    this.#story = story;
    const own = engine.play(story);
    this.#branch = { from: engineTime(own, at), deeds: [] };
    this.#past = [];
    const take = engine.play(story, this.#branch);
    this.#fill(take);
    this.panel.hidden = false;
    this.#show(take, playingTime(take, this.#branch.from), false);
  }

  leave(): void {
    if (!this.isOpen) return;
    this.panel.hidden = true;
    this.#script.hidden = true;
    this.#take = undefined;
    this.#asks.leave();
  }

  /** Does something now (or at the end of the run): what was done later is left out. */
  act(what: Omit<Deed, 'at'> & { do: string }, atEnd = false): void {
    const take = this.#take;
    if (!take || !this.#engine) return;
    const now = atEnd ? take.end : engineTime(take, this.#asks.now());
    // Before it was taken over, it is taken over earlier. (The first deed is done at a whole ms, maybe a little before.)
    const { from, deeds } = this.#branch;
    const isEarlier = now < Math.min(from, deeds[0]?.at ?? from - 1000);
    const isThere = !atEnd && this.#back !== undefined && Math.abs(this.#asks.now() - this.#back.at) < 1;
    const kept = isThere ? deeds.slice(0, this.#back!.kept) : isEarlier ? [] : deeds.filter((deed) => deed.at <= now);
    this.#back = undefined;
    this.#play({ from: isEarlier ? now : from, deeds: [...kept, { ...what, at: now }] }, kept.length);
  }

  undo(): void {
    const before = this.#past.pop();
    if (!before || !this.#engine) return;
    const now = this.#take ? engineTime(this.#take, this.#asks.now()) : before.from;
    this.#branch = before;
    const take = this.#engine.play(this.#story, before);
    this.#show(take, playingTime(take, Math.min(now, take.end)), false);
  }

  #play(branch: Branch, last: number): void {
    let take: Take;
    try {
      take = this.#engine!.play(this.#story, branch);
    } catch (error) {
      this.#notes.textContent = error instanceof Error ? error.message : String(error);
      return;
    }
    this.#past.push(this.#branch);
    this.#branch = { from: branch.from, deeds: branch.deeds.map((deed, index) => ({ ...deed, at: take.deeds[index] ?? deed.at })) };
    this.#show(take, playingTime(take, this.#branch.deeds[last]?.at ?? branch.from), true);
    this.#asks.tell('deed', { branch: this.#branch, notes: take.notes });
  }

  #show(take: Take, at: number, plays: boolean): void {
    this.#take = take;
    this.#text.value = take.script;
    this.#undo.disabled = this.#past.length === 0;
    this.#notes.textContent = take.notes.join('\n');
    const chip = (time: number, words: string, kept: number) => {
      const made = make('button', { type: 'button', title: 'Wind back to here: what you do then begins another branch' },
        make('small', {}, `${clock(time / 1000)} s`), words);
      made.addEventListener('click', () => {
        this.#asks.seek(playingTime(take, time));
        this.#back = { kept, at: this.#asks.now() };
      });
      return make('li', {}, made);
    };
    this.#deeds.replaceChildren(chip(this.#branch.from, 'taken over', 0), ...this.#branch.deeds.map((deed, index) => chip(deed.at, words(deed), index + 1)));
    this.#asks.show(take, at, plays);
    this.follow();
  }

  #fill(take: Take): void {
    const option = ({ id, label }: { id: string; label: string }) => make('option', { value: id }, label === id ? id : `${label} (${id})`);
    const seen = new Set<string>();
    const once = take.processes.filter(({ id }) => !seen.has(id) && seen.add(id));
    this.#process.replaceChildren(...once.map(option));
    const producers = take.processes.filter(({ kind }) => kind === 'producer');
    this.#producer.replaceChildren(...producers.map(option));
    this.#topic.replaceChildren(...take.topics.map(({ name }) => make('option', { value: name }, name)));
    this.#send.hidden = producers.length === 0 || take.topics.length === 0;
    const topic = take.topics[0];
    const lines = topic ? [
      `set topic ${topic.name} min.insync.replicas=1`, `set topic ${topic.name} retention.ms=1000`, `set topic ${topic.name} unclean.leader.election.enable=true`,
      `grow ${topic.name} to ${topic.partitions + 1}`, `elect preferred ${topic.name}-0`, `delete-records ${topic.name}-0 before 1`, 'describe-quorum', 'list-groups',
    ] : ['describe-quorum', 'list-groups'];
    this.#lines.replaceChildren(...lines.map((value) => make('option', { value })));
    this.#line.value = '';
    this.#line.placeholder = lines[0]!;
  }

  /** Chooses a process, if it is one that runs. */
  choose(id: string): boolean {
    const found = [...this.#process.options].some((option) => option.value === id);
    if (found) this.#process.value = id;
    this.follow();
    return found;
  }

  /** The levers fit what the process does now. */
  follow(): void {
    const take = this.#take;
    if (!take || !this.isOpen) return;
    const now = engineTime(take, this.#asks.now());
    const id = this.#process.value;
    let state = 'running';
    for (const [at, process, how] of take.states) if (at <= now && process === id) state = how;
    if (this.#state.dataset['of'] === `${id} ${state}`) return;
    this.#state.dataset['of'] = `${id} ${state}`;
    this.#state.textContent = STATES[state] ?? state;
    const { crash, pause, resume, restart, start, shutdown, cut } = this.#on as Record<string, HTMLButtonElement>;
    crash!.hidden = pause!.hidden = shutdown!.hidden = cut!.hidden = restart!.hidden = state === 'stopped';
    pause!.hidden ||= state === 'paused';
    resume!.hidden = state !== 'paused';
    start!.hidden = state !== 'stopped';
  }

  #cut(): void {
    const others = [...new Set(this.#take!.processes.map(({ id }) => id))].filter((id) => id !== this.#process.value);
    this.act({ do: 'partition', left: [this.#process.value], right: others });
  }

  #produce(): void {
    this.act({
      do: 'produce', producer: this.#producer.value, topic: this.#topic.value, key: this.#key.value || null, value: null, partition: null, acks: null,
      count: Math.max(1, Math.min(1000, Math.round(Number(this.#count.value)) || 1)), awaits: 'nothing',
    });
  }
}

/** A deed in a few words. */
function words(deed: Deed): string {
  const { process, what } = deed;
  switch (deed.do) {
    case 'produce': return `${String(deed['producer'])} sends ${String(deed['count'])} to ${String(deed['topic'])}`;
    case 'admin': case 'fault': return String(what);
    case 'partition': return `cut off ${(deed['left'] as string[]).join(', ')}`;
    case 'heal': return 'heal';
    case 'wait': return `${Number(deed['ms']) / 1000} s pass`;
    default: return `${deed.do} ${String(process)}`;
  }
}
