// <topomotion-viewer>: a film on a page.
import { Ask, type Layer } from './ask';
import { check, load, parse, ViewerError, type Bundle, type Scenario } from './bundle';
import { Controls } from './controls';
import { button, make } from './dom';
import { compile, Film, type Scheme } from './film';
import { faster, Hands, isCommand } from './hands';
import { Engine, Live } from './live';
import { Stage } from './stage';
import { STYLE } from './style';

/** Nothing is skipped for longer than this, ms: a page that slept does not jump. */
const LONGEST_FRAME = 100;
/** How often `timeupdate` is told while playing, ms. */
const TELL_EVERY = 200;

let sheet: CSSStyleSheet | undefined;

/** Sites that are built on a server import this module where there are no elements. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

export class TopomotionViewer extends Base {
  static readonly observedAttributes = ['src', 'scenario', 'time', 'loop', 'controls', 'theme', 'view', 'speed', 'poster', 'layer'];
  // `live`, `autoplay`, `loading` and `deep-links` are read when they count.

  readonly #player = make('div', { class: 'player', part: 'player' });
  readonly #box = make('div', { class: 'stage empty', part: 'stage', tabindex: '0', role: 'group', 'aria-roledescription': 'film' });
  readonly #poster = make('div', { class: 'poster', part: 'poster' }, make('slot'));
  readonly #message = make('div', { class: 'message', part: 'message', role: 'alert', hidden: true });
  readonly #live = make('div', { class: 'unseen', 'aria-live': 'polite' });
  readonly #start = button('play', 'Play', () => this.play(), { class: 'start', part: 'start', hidden: true });
  readonly #controls: Controls;
  readonly #hand: Live;
  readonly #ask: Ask;
  readonly #hands: Hands;
  #stage: Stage | undefined;
  #bundle: Bundle | undefined;
  #films = new Map<string, Film>();
  #film: Film | undefined;
  #view = '';
  #scenario: Scenario | undefined;
  #at = 0;
  #speed = 1;
  #playing = false;
  #seen = true;
  #frame = 0;
  #last = 0;
  #told = 0;
  #line = -1;
  #loading: AbortController | undefined;
  #connected: AbortController | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
    this.#controls = new Controls({
      toggle: () => this.toggle(), step: (by) => this.step(by), seek: (at) => this.#seek(at), scenario: (id) => { this.scenario = id; },
      speed: (speed) => { this.speed = speed; }, loop: () => { this.loop = !this.loop; }, view: () => this.#otherView(),
      zoom: (by) => this.#zoom(by), fit: () => this.fit(), fullscreen: () => this.#fullscreen(), list: () => this.#toggleList(),
      layers: () => this.#toggleLayers(), help: () => this.#toggleHelp(), link: () => void this.copyLink(), live: () => void (this.#hand.isOpen ? this.#hand.leave() : this.takeOver()),
    });
    this.#hand = new Live({
      now: () => this.#at - this.#range().start,
      seek: (at) => this.#seek(this.#range().start + at),
      show: (take, at, plays) => void this.#handle(take.bundle, at, plays),
      leave: () => void this.#handBack(),
      tell: (name, detail) => this.#tell(name, detail),
    });
    this.#ask = new Ask({
      at: () => this.#shown,
      locate: (x, y) => this.#stage?.locate(x, y) ?? { x: -1, y: -1 },
      redraw: () => this.#stage?.redraw(),
      focus: () => this.#box.focus(),
      pause: () => this.pause(),
      chosen: (layer) => { this.layer = layer; },
      offers: (layers) => { this.#controls.layered = layers; },
    });
    this.#hands = new Hands(this.#box, {
      can: () => this.#film !== undefined,
      zoomed: () => (this.#stage?.zoom ?? 1) > 1,
      fullscreen: () => document.fullscreenElement === this,
      isElsewhere: (event) => event.composedPath().includes(this.#start),
      zoom: (by, x, y) => this.#zoom(by, x, y), fit: () => this.fit(), hover: (event) => this.#hover(event), click: (x, y) => this.#click(x, y),
      pan: (x, y) => { this.#ask.tip.hidden = true; this.#stage?.panBy(x, y); },
    });
    this.#box.append(this.#poster, this.#start, this.#ask.tip);
    this.#player.append(make('div', { class: 'row' }, this.#box, this.#ask.card, this.#controls.list), this.#message, this.#ask.strip, this.#controls.bar, this.#hand.panel, this.#controls.help, this.#live);
    root.append(this.#player);
    this.#controls.bar.hidden = true;
  }

  // -- What a page may ask ------------------------------------------------------------------

  /** The bundle that is played, if one is loaded. */
  get bundle(): Bundle | undefined { return this.#bundle; }
  /** Plays another bundle; time, scenario, view and zoom stay as far as they can. */
  set bundle(bundle: Bundle | undefined) {
    // Another film: whoever had taken the old one over has lost it.
    this.#own = this.#engine = undefined;
    this.#hand.leave();
    void this.#take(bundle, 'the bundle');
  }
  /** Now, in seconds of the scenario that is chosen, or of the whole film. */
  get currentTime(): number { return (this.#at - this.#range().start) / 1000; }
  set currentTime(seconds: number) { this.#seek(this.#range().start + seconds * 1000); }
  /** How long it is, in seconds. */
  get duration(): number { const { start, end } = this.#range(); return (end - start) / 1000; }
  get paused(): boolean { return !this.#playing; }
  get ended(): boolean { return !this.#playing && this.#film !== undefined && this.#at >= this.#range().end && this.#at > 0; }
  /** The id of the scenario that is chosen; empty for all of them. */
  get scenario(): string { return this.getAttribute('scenario') ?? ''; }
  set scenario(id: string) { if (id) this.setAttribute('scenario', id); else this.removeAttribute('scenario'); }
  /** Every scenario that there is. */
  get scenarios(): readonly Scenario[] { return this.#bundle?.scenarios ?? []; }
  /** `topology` or `sequence`. */
  get view(): string { return this.#view; }
  set view(view: string) { this.setAttribute('view', view); }
  get speed(): number { return this.#speed; }
  set speed(speed: number) { this.#speed = Math.min(4, Math.max(0.25, speed || 1)); this.#update(); }
  get loop(): boolean { return this.hasAttribute('loop'); }
  set loop(on: boolean) { this.toggleAttribute('loop', on); }
  get autoplay(): boolean { return this.hasAttribute('autoplay'); }
  set autoplay(on: boolean) { this.toggleAttribute('autoplay', on); }
  get controls(): boolean { return this.hasAttribute('controls'); }
  set controls(on: boolean) { this.toggleAttribute('controls', on); }
  get src(): string { return this.getAttribute('src') ?? ''; }
  set src(src: string) { this.setAttribute('src', src); }
  /** `auto` (the page's own), `light` or `dark`. */
  get theme(): string { return this.getAttribute('theme') ?? 'auto'; }
  set theme(theme: string) { this.setAttribute('theme', theme); }
  /** Which layers are shown: their names, or with `-` before them those that are not; empty for all. */
  get layer(): string { return this.getAttribute('layer') ?? ''; }
  set layer(layer: string) { if (layer) this.setAttribute('layer', layer); else this.removeAttribute('layer'); }
  /** Every layer, kind of packets and protocol that can be hidden. */
  get layers(): readonly Layer[] { return this.#ask.layers; }

  play(): void {
    if (!this.#film || this.#range().end <= this.#range().start) return;
    if (this.#at >= this.#range().end) this.#show(this.#range().start);
    this.#start.hidden = true;
    if (this.#playing) return;
    this.#playing = true;
    this.#tell('play');
    this.#run();
    this.#update();
  }

  pause(): void {
    if (!this.#playing) return;
    this.#playing = false;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#tell('pause');
    this.#update();
  }

  toggle(): void { if (this.#playing) this.pause(); else this.play(); }

  /** To the next event of the story, or to the one before. */
  step(by: 1 | -1): void {
    this.pause();
    const { start, end } = this.#range();
    const events = this.#events(start, end);
    const next = by > 0 ? events.find((at) => at > this.#at + 1) ?? end : events.findLast((at) => at < this.#at - 1) ?? start;
    this.#seek(next);
  }

  /** The whole picture. */
  fit(): void {
    this.#stage?.fit();
    this.#zoomed();
  }

  /** A moment (seconds, as `currentTime`) as a canvas of its own. */
  snapshot(seconds = this.currentTime, scale = 1): HTMLCanvasElement | undefined {
    return this.#film && Stage.snapshot(this.#film, this.#range().start + seconds * 1000, scale, this.#scheme());
  }

  /** Whether the run of the scenario that is shown can be taken over. */
  get canTakeOver(): boolean { return Boolean((this.#own ?? this.#bundle)?.live); }
  /** Whether a run is taken over. */
  get isLive(): boolean { return this.#hand.isOpen; }
  /** What was done by hand, and the run as a scenario of a script, while a run is taken over. */
  get branch(): { from: number; deeds: readonly object[]; script: string; digest: string; end: number } | undefined {
    const take = this.#hand.take;
    return take && { ...this.#hand.branch, script: take.script, digest: take.digest, end: take.end };
  }

  /** Goes on with the run that is shown, from this moment: loads the engine if it is not there yet. */
  async takeOver(): Promise<void> {
    const bundle = this.#bundle;
    if (!bundle?.live || this.#hand.isOpen) return;
    this.pause();
    const at = this.#at;
    const story = this.#scenario ?? bundle.scenarios.findLast(({ start }) => start <= at) ?? bundle.scenarios[0];
    if (!story) return;
    try {
      this.#say('');
      this.#box.ariaBusy = 'true';
      const packed = this.querySelector(':scope > script[type="application/x-topomotion-engine"]')?.textContent ?? undefined;
      const engine = this.#engine ??= await Engine.open(bundle.live, packed, new URL(this.getAttribute('live') ?? 'topomotion-live.wasm.gz', this.getAttribute('live') ? document.baseURI : import.meta.url));
      if (bundle !== this.#bundle) return;
      this.#own = bundle;
      this.#left = { at, scenario: this.scenario };
      this.#hand.begin(engine, story.id, at - story.start);
      this.#tell('takeover', { scenario: story.id });
    } catch (error) {
      this.#own = undefined;
      this.#fail(error);
    } finally {
      this.#box.ariaBusy = 'false';
    }
  }

  /** Does something in a run that is taken over: `{ do: 'crash', process: 'broker-1' }`, in the words of a run file. */
  act(deed: { do: string; [argument: string]: unknown }): void { this.#hand.act(deed); }

  /** The address of this page at this moment, in the clipboard; gives it, too. */
  async copyLink(): Promise<string> {
    const wanted = new URLSearchParams();
    if (this.scenario) wanted.set('scenario', this.scenario);
    wanted.set('time', this.currentTime.toFixed(1));
    if (this.#view !== this.#bundle?.views[0]?.view) wanted.set('view', this.#view);
    if (this.layer) wanted.set('layer', this.layer);
    const link = `${location.href.split('#')[0]}#${wanted}`;
    try {
      await navigator.clipboard.writeText(link);
      this.#live.textContent = 'The link is copied.';
      this.#controls.linked();
    } catch {
      this.#say(`Copying is not allowed here. The link is ${link}`);
    }
    return link;
  }

  // -- Life on the page ---------------------------------------------------------------------

  connectedCallback(): void {
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    const on = <K extends keyof HTMLElementEventMap>(target: EventTarget, name: K, act: (event: HTMLElementEventMap[K]) => void, passive = true) => (
      target.addEventListener(name, act as EventListener, { signal, passive })
    );
    on(this.#player, 'keydown', (event) => this.#key(event), false);
    this.#hands.listen(signal);
    on(this.#box, 'pointerleave', () => { this.#ask.tip.hidden = true; });
    on(document as unknown as HTMLElement, 'fullscreenchange', () => { this.#controls.fullscreen = document.fullscreenElement === this; });
    for (const query of ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)']) {
      matchMedia(query).addEventListener('change', () => this.#dress(), { signal });
    }
    const dress = () => this.#dress();
    const page = new MutationObserver(() => { dress(); setTimeout(dress, 350); });
    for (const part of [document.documentElement, document.body]) if (part) page.observe(part, { attributes: true });
    const size = new ResizeObserver(([entry]) => this.#resize(entry!));
    try {
      size.observe(this.#box, { box: 'device-pixel-content-box' });
    } catch {
      size.observe(this.#box);
    }
    const sight = new IntersectionObserver(([entry]) => this.#sight(entry!.intersectionRatio), { threshold: [0, 0.2, 0.5] });
    sight.observe(this);
    signal.addEventListener('abort', () => { page.disconnect(); size.disconnect(); sight.disconnect(); });
    this.#ask.layer = this.layer;
    this.#bar();
    this.#picture();
    if (this.hasAttribute('deep-links') && !this.#bundle) this.#follow();
    this.#dress();
    if (!this.#bundle) this.#begin();
  }

  disconnectedCallback(): void {
    this.pause();
    this.#connected?.abort();
    this.#loading?.abort();
  }

  attributeChangedCallback(name: string, before: string | null, value: string | null): void {
    if (before === value || !this.#connected) return;
    switch (name) {
      case 'src': this.#begin(); break;
      case 'scenario': this.#choose(value ?? ''); break;
      case 'time': if (value !== null) this.currentTime = Number(value) || 0; break;
      case 'loop': this.#update(); break;
      case 'controls': this.#bar(); break;
      case 'theme': this.#dress(); break;
      case 'view': if (value) void this.#look(value); break;
      case 'speed': this.speed = Number(value); break;
      case 'poster': this.#picture(); break;
      case 'layer': this.#ask.layer = value ?? ''; this.#tell('layerchange', { layers: this.layers }); break;
    }
  }

  /** A page's address may name a moment: `#scenario=failover&time=12.5`. */
  #follow(): void {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const name of ['scenario', 'time', 'view', 'layer']) {
      const value = wanted.get(name);
      if (value !== null) this.setAttribute(name, value);
    }
  }

  /** Loads what is to be played: a bundle within the element, or the one at `src`. */
  #begin(): void {
    this.#loading?.abort();
    const inner = this.querySelector(':scope > script[type="application/json"]');
    const waits = this.getAttribute('loading') === 'lazy' && !this.#bundle;
    if (inner && !this.src) void this.#take(() => parse(inner.textContent ?? '', 'the film in this page'), '');
    else if (this.src && (!waits || this.#near)) {
      // While the film is on its way. If it fails, whoever needs it is told.
      compile().catch(() => {});
      const loading = this.#loading = new AbortController();
      void this.#take(() => load(this.src, document.baseURI, loading.signal), '', loading.signal);
    }
  }

  #near = false;
  #engine: Engine | undefined;
  /** The page's own film, while a run of it is taken over. */
  #own: Bundle | undefined;
  #left = { at: 0, scenario: '' };

  /** Shows what became of a run. */
  async #handle(bundle: Bundle, at: number, plays: boolean): Promise<void> {
    await this.#take(bundle, 'what the engine gave');
    if (!this.#hand.isOpen) return;
    this.#show(this.#range().start + at);
    this.#hand.follow();
    if (plays && !this.#reduced()) this.play();
    this.#update();
  }

  /** The film again, as it was left. */
  async #handBack(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    if (!own) return;
    const { at, scenario } = this.#left;
    this.pause();
    await this.#take(own, '');
    this.scenario = scenario;
    this.#seek(at);
    this.#tell('handback');
  }

  async #take(source: Bundle | undefined | (() => Bundle | Promise<Bundle>), name: string, signal?: AbortSignal): Promise<void> {
    try {
      const bundle = typeof source === 'function' ? await source() : check(source, name);
      const view = bundle.views.find((one) => one.view === (this.getAttribute('view') ?? this.#view)) ?? bundle.views[0]!;
      const film = await Film.open(view);
      if (signal?.aborted) return;
      this.#stage ??= new Stage(this.#box);
      const fresh = !this.#bundle;
      // A picture that was drawn anew: its processes come from where they stood.
      const before = fresh || view.view !== this.#view || this.#reduced() ? undefined : this.#stage.spots();
      this.#bundle = bundle;
      this.#films = new Map([[view.view, film]]);
      this.#film = film;
      this.#view = view.view;
      this.#ready(fresh);
      if (before) this.#stage.glide(before);
    } catch (error) {
      if (!signal?.aborted) this.#fail(error);
    }
  }

  /** A film is there. */
  #ready(fresh: boolean): void {
    const bundle = this.#bundle!;
    this.#say('');
    this.#poster.hidden = true;
    this.#box.classList.remove('empty');
    this.#box.ariaLabel = bundle.title;
    if (bundle.description) this.#box.ariaDescription = bundle.description;
    this.#controls.fill(bundle);
    this.#controls.live(this.canTakeOver, this.#hand.isOpen);
    this.#bar();
    this.#shape();
    const at = this.#at;
    const time = this.getAttribute('time');
    this.#choose(this.scenario, true);
    if (!fresh) this.#seek(at);
    else if (time !== null) this.currentTime = Number(time) || 0;
    else this.#rest();
    const moves = this.#range().end > this.#range().start;
    if (fresh) {
      this.#speed = Math.min(4, Math.max(0.25, Number(this.getAttribute('speed')) || 1));
      this.#start.hidden = !moves || time !== null;
      this.dispatchEvent(new CustomEvent('ready', { bubbles: true, composed: true, detail: { scenarios: bundle.scenarios, duration: this.duration } }));
      if (this.autoplay && !this.#reduced()) this.play();
    }
    this.#update();
  }

  /** A telling moment stands before the first play; playing begins at the beginning. */
  #rest(): void {
    const { start, end } = this.#range();
    const poster = this.#film!.poster;
    this.#show(poster >= start && poster < end ? poster : this.#scenario?.steps[1] ?? start, true);
  }

  /** There is a bar if it is wanted, and if there is something to play. */
  #bar(): void {
    this.#controls.bar.hidden = !this.controls || !this.#film;
    this.#controls.linkable = this.hasAttribute('deep-links');
    this.#update();
  }

  #fail(error: unknown): void {
    const text = error instanceof ViewerError ? error.message
      : error instanceof Error && error.message === 'no canvas' ? 'This browser gives no canvas to draw on.'
      : `The film cannot be played here: ${error instanceof Error ? error.message : String(error)}`;
    this.#say(text);
    this.dispatchEvent(new CustomEvent('error', { detail: { message: text } }));
  }

  #say(text: string): void {
    this.#message.textContent = text;
    this.#message.hidden = text === '';
  }

  #tell(name: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  // -- Time ---------------------------------------------------------------------------------

  #range(): { start: number; end: number } {
    return this.#scenario ?? { start: 0, end: this.#film?.duration ?? 0 };
  }

  /** Where one may step to: what is said, and the steps of the scenarios. */
  #events(start: number, end: number): number[] {
    const { transcript = [], scenarios = [] } = this.#bundle ?? {};
    const all = [...transcript.map(({ at }) => at), ...scenarios.flatMap(({ steps }) => steps)];
    return [...new Set(all)].filter((at) => at >= start && at <= end).sort((a, b) => a - b);
  }

  #run(): void {
    if (!this.#playing || !this.#seen || this.#frame) return;
    this.#last = performance.now();
    const frame = (now: number) => {
      this.#frame = 0;
      if (!this.#playing || !this.#seen) return;
      const passed = Math.min(LONGEST_FRAME, Math.max(0, now - this.#last)) * this.#speed;
      this.#last = now;
      const { start, end } = this.#range();
      let at = this.#at + passed;
      if (at >= end) {
        if (!this.loop) {
          this.#show(end);
          this.#playing = false;
          this.#tell('ended');
          this.#update();
          return;
        }
        at = start + (at - end) % (end - start);
      }
      this.#show(at);
      this.#frame = requestAnimationFrame(frame);
    };
    this.#frame = requestAnimationFrame(frame);
  }

  #seek(at: number): void {
    if (!this.#film) return;
    const { start, end } = this.#range();
    this.#start.hidden = true;
    this.#show(Math.min(end, Math.max(start, at)));
    this.#update();
  }

  /** Shows a moment of the film, ms. */
  #show(at: number, rests = false): void {
    this.#at = rests ? this.#range().start : at;
    const { end } = this.#range();
    // The film's last moment shows nothing any more; the one before shows all.
    let shown = Math.min(at, Math.max(0, end - 1));
    if (this.#reduced()) shown = Math.max(shown, (this.#events(0, end).find((event) => event > at) ?? end) - 1);
    this.#stage?.show(shown);
    this.#shown = shown;
    this.#ask.follow();
    const now = performance.now();
    if (!this.#playing || now - this.#told >= TELL_EVERY) {
      this.#told = now;
      this.#tell('timeupdate', { currentTime: this.currentTime, duration: this.duration });
    }
    const line = this.#bundle?.transcript.findLastIndex((one) => one.at <= shown) ?? -1;
    if (line !== this.#line) {
      this.#line = line;
      if (!rests) this.#live.textContent = this.#caption();
    }
    this.#update();
  }

  #shown = 0;

  #caption(): string {
    return this.#bundle?.transcript[this.#line]?.text ?? '';
  }

  #update(): void {
    const { start, end } = this.#range();
    if (!this.#film || this.#controls.bar.hidden) return;
    this.#controls.update({
      playing: this.#playing, ended: this.ended, at: this.#at, start, end, speed: this.#speed, loop: this.loop, zoom: this.#stage?.zoom ?? 1,
    }, this.#caption());
    if (this.#hand.isOpen) this.#hand.follow();
  }

  #choose(id: string, quietly = false): void {
    if (!this.#bundle) return;
    const found = this.#bundle.scenarios.find((one) => one.id === id);
    if (id && !found && !this.#own) {
      const ids = this.#bundle.scenarios.map((one) => one.id).join(', ');
      this.#say(`There is no scenario called “${id}” in this film. There are: ${ids || 'none'}.`);
      this.dispatchEvent(new CustomEvent('error', { detail: { message: this.#message.textContent } }));
    } else this.#say('');
    this.#scenario = found;
    const { start, end } = this.#range();
    const { scenarios } = this.#bundle;
    this.#controls.scenario = found?.id ?? '';
    this.#controls.mark(start, end, found ? [] : scenarios.map((one) => one.start), scenarios.flatMap((one) => one.steps));
    if (quietly) return;
    this.#show(start);
    this.#tell('scenariochange', { scenario: found?.id ?? '' });
  }

  async #look(view: string): Promise<void> {
    const wanted = this.#bundle?.views.find((one) => one.view === view);
    if (!wanted || view === this.#view) return;
    try {
      const film = this.#films.get(view) ?? await Film.open(wanted);
      this.#films.set(view, film);
      this.#film = film;
      this.#view = view;
      this.#shape();
      this.#show(this.#at);
      this.#tell('viewchange', { view });
    } catch (error) {
      this.#fail(error);
    }
  }

  #otherView(): void {
    const views = this.#bundle?.views ?? [];
    const next = views[(views.findIndex((one) => one.view === this.#view) + 1) % views.length];
    if (next) this.view = next.view;
  }

  // -- The picture --------------------------------------------------------------------------

  /** The box takes the film's proportions. */
  #shape(): void {
    const film = this.#film!;
    this.#box.style.aspectRatio = `${film.width} / ${film.height}`;
    // For pages that want to keep it within the window.
    this.style.setProperty('--tm-viewer-ratio', String(film.width / film.height));
    this.#controls.view = this.#view;
    void this.#ask.open(film, this.#bundle!.views.find((one) => one.view === this.#view)!);
    const { width, height } = this.#box.getBoundingClientRect();
    const pixels = (length: number) => Math.round(length * devicePixelRatio);
    this.#stage!.open(film, this.#scheme(), pixels(width), pixels(height));
    this.#dress();
  }

  #resize(entry: ResizeObserverEntry): void {
    const exact = entry.devicePixelContentBoxSize?.[0];
    const { width, height } = entry.contentRect;
    this.#stage?.resize(exact?.inlineSize ?? Math.round(width * devicePixelRatio), exact?.blockSize ?? Math.round(height * devicePixelRatio));
  }

  /** The still picture of the `poster` attribute; the slot holds the page's own. */
  #picture(): void {
    const url = this.getAttribute('poster');
    this.#poster.querySelector('img')?.remove();
    if (url) this.#poster.prepend(make('img', { src: url, alt: '' }));
  }

  /** The colours that the page has: light text is written on dark ground. */
  #scheme(): Scheme {
    if (this.theme === 'light' || this.theme === 'dark') return this.theme;
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(this).color.match(/[\d.]+/g) ?? []).map(Number);
    return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? 'dark' : 'light';
  }

  #dress(): void {
    const scheme = this.#scheme();
    this.#player.dataset['scheme'] = scheme;
    if (this.#stage) this.#stage.scheme = scheme;
  }

  #reduced(): boolean {
    return matchMedia('(prefers-reduced-motion: reduce)').matches;
  }

  #sight(ratio: number): void {
    this.#seen = ratio >= 0.2 || (ratio > 0 && this.getBoundingClientRect().height > innerHeight);
    if (ratio > 0 && !this.#near) {
      this.#near = true;
      if (!this.#bundle && !this.#loading && this.getAttribute('loading') === 'lazy') this.#begin();
    }
    if (this.#seen) this.#run();
    else {
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    }
  }

  // -- Hands --------------------------------------------------------------------------------

  #zoomed(): void {
    this.#box.classList.toggle('zoomed', (this.#stage?.zoom ?? 1) > 1);
    this.#update();
  }

  #zoom(by: number, x?: number, y?: number): void {
    const box = this.#box.getBoundingClientRect();
    this.#stage?.zoomBy(by, x ?? box.left + box.width / 2, y ?? box.top + box.height / 2);
    this.#zoomed();
  }

  #click(x: number, y: number): void {
    // While a run is taken over, a click on a process chooses it, too.
    if (this.#hand.isOpen && this.#stage) {
      const place = this.#stage.locate(x, y);
      const id = this.#film!.hit(this.#shown, place.x, place.y, true)?.id;
      if (id && this.#hand.choose(id)) this.pause();
    }
    if (!this.#ask.click(x, y, this.#box.getBoundingClientRect())) this.toggle();
  }

  #hover(event: PointerEvent): void {
    if (!this.#film || event.pointerType === 'touch') return;
    if (event.composedPath().includes(this.#start)) this.#ask.tip.hidden = true;
    else this.#ask.hover(event.clientX, event.clientY, this.#box.getBoundingClientRect());
  }

  #toggleLayers(): void {
    if (this.#ask.layers.length) this.#controls.showLayers(this.#ask.toggleStrip());
  }

  #toggleList(): void {
    this.#controls.showList(this.#controls.list.hasAttribute('hidden'));
    this.#update();
  }

  #toggleHelp(): void {
    const opens = this.#controls.help.hasAttribute('hidden');
    this.#controls.showHelp(opens);
    if (opens) this.#controls.help.querySelector('button')?.focus();
    else this.#box.focus();
  }

  #fullscreen(): void {
    if (document.fullscreenElement === this) void document.exitFullscreen();
    else void this.requestFullscreen().catch(() => this.#say('Full screen is not allowed here.'));
  }

  #key(event: KeyboardEvent): void {
    if (!this.#film || !isCommand(event)) return;
    const { start, end } = this.#range();
    const { scenarios = [] } = this.#bundle ?? {};
    const beside = (by: number) => {
      const place = scenarios.findIndex((one) => one === this.#scenario);
      const next = scenarios[place < 0 ? (by > 0 ? 0 : scenarios.length - 1) : place + by];
      if (next) this.scenario = next.id;
    };
    const keys: Record<string, () => void> = {
      ' ': () => this.toggle(), k: () => this.toggle(), ArrowLeft: () => this.#seek(this.#at - 1000), ArrowRight: () => this.#seek(this.#at + 1000),
      ',': () => this.step(-1), '.': () => this.step(1), Home: () => this.#seek(start), End: () => this.#seek(end),
      '[': () => beside(-1), ']': () => beside(1), '<': () => { this.speed = faster(this.#speed, -1); }, '>': () => { this.speed = faster(this.#speed, 1); }, l: () => { this.loop = !this.loop; },
      v: () => this.#otherView(), t: () => this.#toggleList(), i: () => this.#ask.toggleCard(), y: () => this.#toggleLayers(), '+': () => this.#zoom(1.4), '=': () => this.#zoom(1.4), '-': () => this.#zoom(1 / 1.4),
      0: () => this.fit(), c: () => { if (this.hasAttribute('deep-links')) void this.copyLink(); }, o: () => void (this.#hand.isOpen ? this.#hand.leave() : this.takeOver()), f: () => this.#fullscreen(), '?': () => this.#toggleHelp(),
    };
    const act = keys[event.key];
    if (event.key === 'Escape' && !this.#controls.help.hidden) this.#toggleHelp();
    else if (event.key === 'Escape' && !this.#ask.card.hidden) this.#ask.close();
    else if (act) act();
    else return;
    event.preventDefault();
  }
}
