// What a reader learns by pointing at things, and what of the picture is shown: tip, details, layers.
import { About, type Toggle } from './about';
import type { View } from './bundle';
import { button, make } from './dom';
import type { Film, Item } from './film';

/** What the player tells of itself, and does for its readers. */
export interface Player {
  /** The moment that is shown, ms. */
  at(): number;
  /** The px of the picture at a place of the window. */
  locate(x: number, y: number): { x: number; y: number };
  redraw(): void;
  /** The keys go to the picture again. */
  focus(): void;
  pause(): void;
  /** The layers were chosen by hand: as the attribute has it. */
  chosen(layer: string): void;
  /** There are layers to choose from, or none. */
  offers(layers: boolean): void;
}

/** A layer, a kind of packets or a protocol, and whether it is shown. */
export interface Layer { set: string; name: string; shown: boolean }

const SETS: Record<string, string> = { layers: 'Layers', packets: 'Packets', connections: 'Connections' };
/** How much of what is known a tip tells. */
const TIP_LINES = 7;

export class Ask {
  readonly tip = make('div', { class: 'tip', part: 'tip', role: 'tooltip', hidden: true });
  readonly card = make('div', { class: 'card', part: 'details', role: 'region', 'aria-label': 'Details', hidden: true });
  readonly strip = make('div', { class: 'layers', part: 'layers', role: 'group', 'aria-label': 'What is shown', hidden: true });
  readonly #player: Player;
  readonly #subject = make('select', { 'aria-label': 'Of what' });
  readonly #told = make('div', { class: 'told', role: 'status' });
  #film: Film | undefined;
  #about: About | undefined;
  /** Names that hide (`-routine`), and names that show only what they name. */
  #wanted: string[] = [];
  /** What the card is about. */
  #of: Item | undefined;
  #shown = '';

  constructor(player: Player) {
    this.#player = player;
    this.card.append(make('div', { class: 'subject' }, this.#subject, button('close', 'Close', () => this.close())), this.#told);
    this.#subject.addEventListener('change', () => this.#choose(Number(this.#subject.value)));
    this.card.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
      if (event.key === 'Escape' || event.target === this.#subject) event.stopPropagation();
    });
  }

  /** Another film; what was chosen stays as far as it can. */
  async open(film: Film, view: View): Promise<void> {
    const before = this.#of;
    this.#film = film;
    this.#about = undefined;
    this.#of = undefined;
    const about = await About.open(view);
    if (film !== this.#film) return;
    this.#about = about;
    this.#pills();
    this.#hide();
    this.#of = before && this.#again(before);
    if (before && !this.#of) this.close();
    else this.follow();
  }

  get layers(): Layer[] {
    return (this.#about?.toggles ?? []).map((toggle) => ({ set: toggle.set, name: toggle.name, shown: this.#isShown(toggle) }));
  }

  /** Which layers are shown, as the attribute has it. */
  set layer(names: string) {
    this.#wanted = names.split(',').map((name) => name.trim()).filter(Boolean);
    if (!this.#about) return;
    this.#pills();
    this.#hide();
  }

  toggleStrip(): boolean {
    this.strip.hidden = !this.strip.hidden;
    return !this.strip.hidden;
  }

  // -- Pointing -----------------------------------------------------------------------------

  hover(x: number, y: number, box: DOMRect): void {
    const found = this.#at(x, y);
    const lines = found ? this.#lines(found) : [];
    this.tip.hidden = lines.length === 0;
    if (this.tip.hidden) return;
    const [head = '', ...more] = lines;
    this.tip.replaceChildren(make('b', {}, head), ...more.slice(0, TIP_LINES).map((line) => make('span', {}, line)));
    const left = x - box.left, top = y - box.top;
    this.tip.style.left = `${Math.max(4, Math.min(left + 12, box.width - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${top + 18 + this.tip.offsetHeight > box.height ? Math.max(4, top - this.tip.offsetHeight - 8) : top + 18}px`;
  }

  /** Opens the card about what is there; whether there is anything. */
  click(x: number, y: number, box: DOMRect): boolean {
    const found = this.#at(x, y);
    if (!found || found.kind === 'group') {
      const wasOpen = !this.card.hidden;
      this.close();
      return wasOpen;
    }
    if (found.index >= (this.#film?.parts ?? 0)) this.#player.pause();
    this.tip.hidden = true;
    this.#show(found);
    // It covers as little as possible of what it is about.
    this.card.classList.toggle('left', x - box.left > box.width / 2);
    return true;
  }

  /** Opens the card by hand, about the first process; or closes it. */
  toggleCard(): void {
    if (!this.card.hidden) return this.close();
    const film = this.#film;
    if (!film) return;
    for (let index = 0; index < film.parts; index++) {
      const item = film.item(index);
      if (!item?.kind.startsWith('node')) continue;
      this.#show(item);
      this.#subject.focus();
      return;
    }
  }

  close(): void {
    if (this.card.hidden) return;
    const hadFocus = this.card.matches(':focus-within');
    this.card.hidden = true;
    this.#of = undefined;
    if (hadFocus) this.#player.focus();
  }

  /** Time has passed: what is told of a process may be otherwise now. */
  follow(): void {
    if (this.card.hidden || !this.#of) return;
    const lines = this.#lines(this.#of);
    const key = lines.join('\n');
    if (key === this.#shown) return;
    this.#shown = key;
    const list = make('dl');
    const [head = '', ...more] = lines;
    for (const line of more) {
      const cut = line.indexOf(': ');
      const name = cut > 0 ? line.slice(0, cut) : '';
      list.append(make('dt', {}, name), make('dd', {}, cut > 0 ? line.slice(cut + 2) : line));
    }
    this.#told.replaceChildren(make('b', {}, head), list);
  }

  #show(item: Item): void {
    this.#of = item;
    this.#shown = '';
    this.card.hidden = false;
    this.#subjects();
    this.follow();
  }

  #choose(index: number): void {
    const item = this.#film?.item(index);
    if (!item) return;
    this.#of = item;
    this.#shown = '';
    this.follow();
  }

  /** What may be asked: what flies now, the processes, the connections. */
  #subjects(): void {
    const film = this.#film, of = this.#of;
    if (!film || !of) return;
    const sets: [string, Item[]][] = [['Under way', []], ['Processes', []], ['Connections', []]];
    const seen = new Set<string>();
    for (const index of new Set([...(of.index >= film.parts ? [of.index] : []), ...film.air(this.#player.at())])) {
      const item = film.item(index);
      const name = this.#about?.of(index).slice(0, 2).join(', ') ?? '';
      if (item && name && !seen.has(`${name} ${index}`)) sets[0]![1].push({ ...item, name: name.replace('way: ', '') });
      seen.add(`${name} ${index}`);
    }
    for (let index = 0; index < film.parts; index++) {
      const item = film.item(index);
      if (item?.kind.startsWith('node')) sets[1]![1].push(item);
      else if (item?.kind === 'edge') sets[2]![1].push(item);
    }
    const all = sets.flatMap(([, items]) => items);
    const groups = sets.filter(([, items]) => items.length).map(([label, items]) => (
      make('optgroup', { label }, ...items.map(({ index, name, id }) => make('option', { value: String(index) }, (name || id).split(', ').slice(0, 2).join(', '))))
    ));
    if (!all.some(({ index }) => index === of.index)) groups.unshift(make('optgroup', { label: 'Here' }, make('option', { value: String(of.index) }, of.name || of.id || of.kind)));
    this.#subject.replaceChildren(...groups);
    this.#subject.value = String(of.index);
  }

  /** What is at a place of the window: what a process shows belongs to the process. */
  #at(x: number, y: number): Item | undefined {
    const film = this.#film;
    if (!film) return undefined;
    const place = this.#player.locate(x, y);
    const found = film.hit(this.#player.at(), place.x, place.y);
    if (!found || this.#about?.of(found.index).length || found.kind === 'message') return found;
    const node = film.hit(this.#player.at(), place.x, place.y, true);
    return node && this.#about?.knows(node.id) ? node : found;
  }

  #lines(item: Item): string[] {
    const told = this.#about?.of(item.index) ?? [];
    if (told.length) return told;
    const facts = this.#about?.now(item.id, this.#player.at()) ?? [];
    // With facts, the state that the name tells is that of the beginning.
    const name = item.name.split('\n')[0] ?? '';
    return name || facts.length ? [facts.length ? name.replace(/, (running|warning|error|stopped)\b/, '') : item.name, ...facts] : [];
  }

  /** The same thing in another film. */
  #again(before: Item): Item | undefined {
    const film = this.#film!;
    for (let index = 0; before.id && index < film.parts; index++) {
      const item = film.item(index);
      if (item && item.id === before.id && item.kind === before.kind) return item;
    }
    return undefined;
  }

  // -- Layers -------------------------------------------------------------------------------

  #isShown({ set, name }: Toggle): boolean {
    if (this.#wanted.includes(`-${name}`)) return false;
    const own = this.#about!.toggles.filter((other) => other.set === set).map((other) => other.name);
    const named = this.#wanted.filter((one) => own.includes(one));
    return named.length === 0 || named.includes(name);
  }

  #pills(): void {
    const toggles = this.#about?.toggles ?? [];
    this.#player.offers(toggles.length > 0);
    if (toggles.length === 0) this.strip.hidden = true;
    const focused = (this.strip.getRootNode() as ShadowRoot).activeElement?.getAttribute('data-layer');
    const sets = [...new Set(toggles.map(({ set }) => set))];
    this.strip.replaceChildren(...sets.map((set) => {
      const pills = toggles.filter((toggle) => toggle.set === set).map((toggle) => {
        const pill = make('button', { type: 'button', class: 'pill', 'aria-pressed': String(this.#isShown(toggle)), 'data-layer': `${set} ${toggle.name}` }, toggle.name);
        pill.addEventListener('click', () => this.#flip(toggle));
        return pill;
      });
      return make('div', { class: 'set', role: 'group', 'aria-label': SETS[set] ?? set }, make('span', {}, SETS[set] ?? set), ...pills);
    }));
    if (focused) this.strip.querySelector<HTMLElement>(`[data-layer="${CSS.escape(focused)}"]`)?.focus();
  }

  #flip(toggle: Toggle): void {
    const hidden = this.layers.filter(({ set, name, shown }) => (set === toggle.set && name === toggle.name ? shown : !shown));
    this.#player.chosen(hidden.map(({ name }) => `-${name}`).join(','));
  }

  #hide(): void {
    const film = this.#film, about = this.#about;
    if (!film || !about) return;
    const hidden = new Set(about.toggles.filter((toggle) => !this.#isShown(toggle)).flatMap(({ items }) => items));
    if (hidden.size === 0 && !film.hides) return;
    film.hide(hidden);
    this.#player.redraw();
  }
}
