// The bar below the picture, the list of what happens, and the help.
import type { Bundle } from './bundle';
import { button, clock, icon, make, relabel } from './dom';

/** What the controls show. */
export interface Status {
  playing: boolean;
  ended: boolean;
  /** Now, and the stretch that is played, ms. */
  at: number;
  start: number;
  end: number;
  speed: number;
  loop: boolean;
  zoom: number;
}

/** What the controls ask for. */
export interface Wishes {
  toggle(): void;
  step(by: 1 | -1): void;
  seek(at: number): void;
  scenario(id: string): void;
  speed(speed: number): void;
  loop(): void;
  view(): void;
  zoom(by: number): void;
  fit(): void;
  fullscreen(): void;
  list(): void;
  layers(): void;
  help(): void;
  link(): void;
  live(): void;
}

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2, 4];

const KEYS: [string, string][] = [
  ['Space', 'play or pause'], ['← →', 'a second back, on'], [', .', 'one event back, on'], ['Home End', 'to the start, to the end'],
  ['[ ]', 'scenario before, next'], ['< >', 'slower, faster'], ['l', 'repeat'], ['v', 'topology or sequence'], ['t', 'what happens, line by line'],
  ['+ −', 'larger, smaller (or Ctrl and wheel)'], ['0', 'the whole picture'], ['i', 'details of a process, a connection, a packet (or click it)'], ['y', 'what is shown'], ['o', 'take the run over'], ['c', 'copy a link to this moment'], ['f', 'full screen'], ['?', 'this list'], ['Esc', 'close'],
];

export class Controls {
  readonly bar = make('div', { class: 'bar', part: 'controls', role: 'group', 'aria-label': 'Player' });
  readonly list = make('div', { class: 'list', part: 'list', role: 'region', 'aria-label': 'What happens', tabindex: '0', hidden: true });
  readonly help = make('div', { class: 'help', part: 'help', role: 'dialog', 'aria-label': 'Keyboard', hidden: true });
  readonly scrubber: HTMLInputElement;
  readonly #wishes: Wishes;
  readonly #play: HTMLButtonElement;
  readonly #back: HTMLButtonElement;
  readonly #forward: HTMLButtonElement;
  readonly #loop: HTMLButtonElement;
  readonly #view: HTMLButtonElement;
  readonly #list: HTMLButtonElement;
  readonly #help: HTMLButtonElement;
  readonly #fit: HTMLButtonElement;
  readonly #full: HTMLButtonElement;
  readonly #live: HTMLButtonElement;
  readonly #link: HTMLButtonElement;
  readonly #layers: HTMLButtonElement;
  readonly #speed = make('select', { 'aria-label': 'Speed', title: 'Speed', class: 'wide' });
  readonly #scenario = make('select', { 'aria-label': 'Scenario', title: 'Scenario' });
  readonly #time = make('span', { class: 'time', part: 'time' });
  readonly #now = make('b');
  readonly #whole = document.createTextNode('');
  readonly #track: HTMLElement;
  readonly #rail = make('div', { class: 'rail' });
  #lines: { at: number; button: HTMLButtonElement }[] = [];
  #current: HTMLButtonElement | undefined;

  constructor(wishes: Wishes) {
    this.#wishes = wishes;
    this.#play = button('play', 'Play', wishes.toggle);
    this.#back = button('back', 'Event before', () => wishes.step(-1));
    this.#forward = button('forward', 'Next event', () => wishes.step(1));
    this.#loop = button('loop', 'Repeat', wishes.loop, { 'aria-pressed': 'false', class: 'wide' });
    this.#view = button('sequence', 'Sequence diagram', wishes.view, { 'aria-pressed': 'false' });
    this.#list = button('list', 'What happens', wishes.list, { 'aria-expanded': 'false' });
    this.#help = button('?', 'Keyboard', wishes.help, { 'aria-expanded': 'false', class: 'wide' });
    this.#fit = button('fit', 'The whole picture', wishes.fit, { hidden: true });
    this.#live = button('live', 'Take over: go on with this run yourself', wishes.live, { 'aria-pressed': 'false', hidden: true });
    this.#link = button('link', 'Copy a link to this moment', wishes.link, { class: 'wide' });
    this.#layers = button('layers', 'What is shown', wishes.layers, { 'aria-expanded': 'false', hidden: true });
    this.#full = button('full', 'Full screen', wishes.fullscreen);
    this.scrubber = make('input', { type: 'range', min: '0', max: '0', step: '10', value: '0', 'aria-label': 'Time' });
    this.scrubber.addEventListener('input', () => wishes.seek(Number(this.scrubber.value)));
    this.#track = make('div', { class: 'track', part: 'scrubber' }, this.#rail, this.scrubber);
    for (const speed of SPEEDS) this.#speed.append(make('option', { value: String(speed) }, `${speed} ×`));
    this.#speed.addEventListener('change', () => wishes.speed(Number(this.#speed.value)));
    this.#scenario.addEventListener('change', () => wishes.scenario(this.#scenario.value));
    this.#time.append(this.#now, this.#whole);
    this.bar.append(
      this.#play, this.#back, this.#forward, this.#time, this.#track, this.#scenario, make('span', { class: 'gap' }), this.#speed, this.#loop, this.#view,
      button('out', 'Smaller', () => wishes.zoom(1 / 1.4), { class: 'wide' }), button('in', 'Larger', () => wishes.zoom(1.4), { class: 'wide' }),
      this.#fit, this.#layers, this.#live, this.#list, this.#link, this.#full, this.#help,
    );
    this.#full.hidden = !document.fullscreenEnabled;
    const keys = make('dl');
    for (const [key, meaning] of KEYS) {
      keys.append(make('dt', {}, ...key.split(' ').flatMap((one) => [make('kbd', {}, one), ' '])), make('dd', {}, meaning));
    }
    this.help.append(make('p', {}, 'Keyboard'), keys, button('close', 'Close', wishes.help));
  }

  /** A bundle was loaded. */
  fill(bundle: Bundle): void {
    const many = bundle.scenarios.length > 1;
    const all = many ? [make('option', { value: '' }, 'All scenarios')] : [];
    this.#scenario.replaceChildren(...all, ...bundle.scenarios.map(({ id, title }) => make('option', { value: id }, title || id)));
    this.#scenario.hidden = !many;
    this.#view.hidden = bundle.views.length < 2;
    const list = make('ol');
    this.#lines = [];
    const scenarioOf = (at: number) => bundle.scenarios.findLast(({ start }) => start <= at);
    let scenario: unknown;
    for (const { at, clock: engine, text } of bundle.transcript) {
      const own = scenarioOf(at);
      if (many && own && own !== scenario) list.append(make('li', {}, make('b', {}, own.title || own.id)));
      scenario = own;
      const line = make('button', { type: 'button' }, make('small', {}, engine || `${clock(at)} s`), make('span', {}, text));
      line.addEventListener('click', () => this.#wishes.seek(at));
      list.append(make('li', {}, line));
      this.#lines.push({ at, button: line });
    }
    this.list.replaceChildren(list);
    this.#list.hidden = bundle.transcript.length === 0;
    if (this.#list.hidden) this.showList(false);
    const still = bundle.views.every(({ duration }) => duration === 0);
    for (const part of [this.#play, this.#back, this.#forward, this.#time, this.#track, this.#speed, this.#loop]) part.hidden = still;
  }

  /** Where the marks are: the beginnings of scenarios and of their steps within a stretch. */
  mark(start: number, end: number, chapters: number[], steps: number[]): void {
    for (const old of [...this.#rail.children]) old.remove();
    this.scrubber.min = String(start);
    this.scrubber.max = String(end);
    const length = end - start || 1;
    const add = (at: number, kind: string) => {
      if (at <= start || at >= end) return;
      const mark = make('i', { class: kind });
      mark.style.left = `${100 * (at - start) / length}%`;
      this.#rail.append(mark);
    };
    for (const at of steps) add(at, 'step');
    for (const at of chapters) add(at, 'chapter');
  }

  set scenario(id: string) {
    this.#scenario.value = id;
  }

  /** The link was copied: the button says so for a moment. */
  linked(): void {
    this.#link.classList.add('done');
    setTimeout(() => this.#link.classList.remove('done'), 1200);
  }

  /** Whether the page's address leads to a moment. */
  set linkable(can: boolean) {
    this.#link.hidden = !can;
  }

  /** Whether the run can be taken over, and whether it is. */
  live(can: boolean, is: boolean): void {
    this.#live.hidden = !can;
    this.#live.ariaPressed = String(is);
  }

  /** Whether there is something to hide. */
  set layered(can: boolean) {
    this.#layers.hidden = !can;
  }

  showLayers(open: boolean): void {
    this.#layers.ariaExpanded = String(open);
  }

  set view(view: string) {
    this.#view.ariaPressed = String(view === 'sequence');
  }

  showList(open: boolean): void {
    this.list.hidden = !open;
    this.#list.ariaExpanded = String(open);
    this.#current = undefined;
  }

  showHelp(open: boolean): void {
    this.help.hidden = !open;
    this.#help.ariaExpanded = String(open);
  }

  /** Shows how things are. */
  update({ playing, ended, at, start, end, speed, loop, zoom }: Status, caption: string): void {
    relabel(this.#play, playing ? 'pause' : ended ? 'replay' : 'play', playing ? 'Pause' : ended ? 'Again' : 'Play');
    this.#loop.ariaPressed = String(loop);
    this.#speed.value = String(speed);
    this.#fit.hidden = zoom <= 1;
    const now = clock(at - start), whole = ` / ${clock(end - start)}`;
    if (this.#now.textContent !== now) this.#now.textContent = now;
    if (this.#whole.data !== whole) this.#whole.data = whole;
    this.scrubber.value = String(at);
    this.#track.style.setProperty('--done', `${100 * (at - start) / (end - start || 1)}%`);
    const told = `${now} of ${clock(end - start)} seconds${caption ? `: ${caption}` : ''}`;
    if (this.scrubber.ariaValueText !== told) this.scrubber.ariaValueText = told;
    if (!this.list.hidden) this.#follow(at);
  }

  /** The bar's icon for full screen follows what is. */
  set fullscreen(on: boolean) {
    this.#full.ariaPressed = String(on);
    this.#full.replaceChildren(icon('full'));
  }

  #follow(at: number): void {
    const current = this.#lines.findLast((line) => line.at <= at)?.button;
    if (current === this.#current) return;
    this.#current?.removeAttribute('aria-current');
    this.#current = current;
    if (!current) return;
    current.setAttribute('aria-current', 'step');
    // Not scrollIntoView: that would move the page, too.
    const { offsetTop, offsetHeight } = current;
    const { scrollTop, clientHeight } = this.list;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight) this.list.scrollTop = offsetTop - clientHeight / 3;
  }
}
