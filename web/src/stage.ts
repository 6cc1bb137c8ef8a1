// The picture on the screen: four canvases on one another, of which a frame redraws only what moved.
import { Film, type Place, type Scheme } from './film';

const LAYERS = 4;
const ZOOM_MAX = 12;
/** How long processes take to their new places, ms. */
const GLIDE = 260;

/** What the layers show when it is not known. */
const NOTHING: Readonly<{ ground: boolean; under: string; over: string; between: boolean }> = { ground: false, under: '-', over: '-', between: true };

/** Draws a film into a box, sharp at every size. */
export class Stage {
  readonly #box: HTMLElement;
  readonly #canvases: HTMLCanvasElement[] = [];
  readonly #contexts: CanvasRenderingContext2D[] = [];
  #film: Film | undefined;
  #scheme: Scheme = 'light';
  #at = 0;
  /** What the layers show, so that nothing is drawn twice. */
  #shown = NOTHING;
  /** Canvases on which nothing was drawn yet: wiping a large one takes as long as drawing. */
  #clean = new Set<CanvasRenderingContext2D>();
  #glide = 0;
  /** How far it is zoomed in, and where its middle is (parts of the picture). */
  #zoom = { factor: 1, x: 0.5, y: 0.5 };

  constructor(box: HTMLElement) {
    this.#box = box;
    for (let layer = 0; layer < LAYERS; layer++) {
      const canvas = document.createElement('canvas');
      canvas.ariaHidden = 'true';
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      this.#canvases.push(canvas);
      this.#contexts.push(context);
      box.append(canvas);
    }
  }

  get zoom(): number {
    return this.#zoom.factor;
  }

  /** Takes another film, in these colours, on so many device pixels; what is shown next shows it. */
  open(film: Film, scheme: Scheme, width: number, height: number): void {
    cancelAnimationFrame(this.#glide);
    for (const canvas of this.#canvases) canvas.style.opacity = '';
    this.#film = film;
    this.#scheme = scheme;
    this.#shown = NOTHING;
    this.#fill(width, height);
  }

  /** Where the processes stand on the canvases, by id. */
  spots(): Map<string, { x: number; y: number }> {
    const { scale, x, y } = this.place();
    return new Map([...this.#film?.nodes() ?? []].map(([id, at]) => [id, { x: x + at.x * scale, y: y + at.y * scale }]));
  }

  /** Lets the processes come from where they stood before; what else there is appears meanwhile. */
  glide(before: Map<string, { x: number; y: number }>): void {
    const film = this.#film, [ground, ...others] = this.#contexts;
    // Where items are hidden, the backdrop's places are not those of all items.
    if (!film || film.hides || !ground) return;
    const place = this.place();
    const far = new Map<number, { x: number; y: number }>();
    let moved = false;
    for (const [id, { index, x, y }] of film.nodes()) {
      const was = before.get(id);
      if (!was) continue;
      const by = { x: (was.x - place.x) / place.scale - x, y: (was.y - place.y) / place.scale - y };
      far.set(index, by);
      moved ||= Math.abs(by.x) + Math.abs(by.y) > 1;
    }
    if (!moved) return;
    const start = performance.now();
    const frame = (now: number) => {
      const part = Math.min(1, Math.max(0, now - start) / GLIDE);
      const left = (1 - part) ** 3;
      for (const { canvas } of others) canvas.style.opacity = String(1 - left);
      if (part === 1 || film !== this.#film || film.hides) return this.#rest();
      ground.setTransform(1, 0, 0, 1, 0, 0);
      ground.globalAlpha = 1;
      ground.fillStyle = film.page(this.#scheme);
      ground.fillRect(0, 0, ground.canvas.width, ground.canvas.height);
      ground.lineCap = ground.lineJoin = 'round';
      const by = new Map([...far].map(([index, { x, y }]) => [index, { x: x * left, y: y * left }]));
      film.drawBackdrop(ground, this.place(), this.#scheme, { by, faint: 1 - left });
      this.#glide = requestAnimationFrame(frame);
    };
    frame(start);
  }

  /** Everything is where it belongs. */
  #rest(): void {
    cancelAnimationFrame(this.#glide);
    this.#glide = 0;
    for (const canvas of this.#canvases) canvas.style.opacity = '';
    this.redraw();
  }

  set scheme(scheme: Scheme) {
    if (scheme === this.#scheme) return;
    this.#scheme = scheme;
    this.redraw();
  }

  /** Fits the canvases to their box, in device pixels. */
  resize(width: number, height: number): void {
    if (this.#fill(width, height)) this.redraw();
  }

  /** Gives the canvases a size; whether it is another one. */
  #fill(width: number, height: number): boolean {
    const others = this.#canvases.filter((canvas) => canvas.width !== width || canvas.height !== height);
    for (const canvas of others) {
      canvas.width = width;
      canvas.height = height;
      this.#clean.add(canvas.getContext('2d')!);
    }
    return others.length > 0;
  }

  /** Draws everything anew. */
  redraw(): void {
    this.#shown = NOTHING;
    this.show(this.#at);
  }

  /** Goes to a moment, ms. */
  show(at: number): void {
    this.#at = at;
    const film = this.#film;
    const [ground, under, between, over] = this.#contexts as [CanvasRenderingContext2D, CanvasRenderingContext2D, CanvasRenderingContext2D, CanvasRenderingContext2D];
    if (!film || !ground.canvas.width) return;
    const place = this.place();
    const start = (context: CanvasRenderingContext2D) => {
      context.setTransform(1, 0, 0, 1, 0, 0);
      if (!this.#clean.delete(context)) context.clearRect(0, 0, context.canvas.width, context.canvas.height);
      context.lineCap = context.lineJoin = 'round';
    };
    if (!this.#shown.ground) {
      this.#clean.add(ground);
      start(ground);
      ground.globalAlpha = 1;
      ground.fillStyle = film.page(this.#scheme);
      ground.fillRect(0, 0, ground.canvas.width, ground.canvas.height);
      film.drawBackdrop(ground, place, this.#scheme);
      this.#shown = { ...this.#shown, ground: true };
    }
    const moment = film.moment(at);
    const still = (context: CanvasRenderingContext2D, items: Float32Array, layer: 'under' | 'over') => {
      const key = items.join();
      if (key === this.#shown[layer]) return;
      start(context);
      film.draw(context, items, place, this.#scheme);
      this.#shown = { ...this.#shown, [layer]: key };
    };
    still(under, moment.under, 'under');
    still(over, moment.over, 'over');
    if (moment.between.length || (this.#shown.between && !this.#clean.has(between))) {
      start(between);
      film.draw(between, moment.between, place, this.#scheme);
      this.#shown = { ...this.#shown, between: moment.between.length > 0 };
    }
  }

  /** Where the picture stands on the canvases. */
  place(): Place {
    const { width, height } = this.#canvases[0]!;
    const film = this.#film;
    if (!film) return { scale: 1, x: 0, y: 0 };
    const { factor, x, y } = this.#zoom;
    const scale = Math.min(width / film.width, height / film.height) * factor;
    const along = (room: number, length: number, middle: number) => (
      length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, room / 2 - middle * length))
    );
    return { scale, x: along(width, film.width * scale, x), y: along(height, film.height * scale, y) };
  }

  /** The px of the picture at a place of the window. */
  locate(clientX: number, clientY: number): { x: number; y: number } {
    const box = this.#box.getBoundingClientRect();
    const { scale, x, y } = this.place();
    const ratio = this.#canvases[0]!.width / (box.width || 1);
    return { x: ((clientX - box.left) * ratio - x) / scale, y: ((clientY - box.top) * ratio - y) / scale };
  }

  /** Zooms by a factor; what is at that place of the window stays there. */
  zoomBy(by: number, clientX: number, clientY: number): void {
    const film = this.#film;
    if (!film) return;
    const before = this.locate(clientX, clientY);
    this.#zoom.factor = Math.min(ZOOM_MAX, Math.max(1, this.#zoom.factor * by));
    if (this.#zoom.factor < 1.001) return this.fit();
    const box = this.#box.getBoundingClientRect();
    const ratio = this.#canvases[0]!.width / (box.width || 1);
    const { width, height } = this.#canvases[0]!;
    const scale = this.place().scale;
    this.#zoom.x = (before.x * scale - (clientX - box.left) * ratio + width / 2) / (film.width * scale);
    this.#zoom.y = (before.y * scale - (clientY - box.top) * ratio + height / 2) / (film.height * scale);
    this.#settle();
  }

  /** Moves the picture by CSS px. */
  panBy(x: number, y: number): void {
    const film = this.#film;
    if (!film || this.#zoom.factor <= 1) return;
    const ratio = this.#canvases[0]!.width / (this.#box.clientWidth || 1);
    const { scale } = this.place();
    this.#zoom.x -= x * ratio / (film.width * scale);
    this.#zoom.y -= y * ratio / (film.height * scale);
    this.#settle();
  }

  /** The whole picture. */
  fit(): void {
    this.#zoom = { factor: 1, x: 0.5, y: 0.5 };
    this.redraw();
  }

  /** Keeps the middle where the picture's edge allows, and draws. */
  #settle(): void {
    const film = this.#film!;
    const { width, height } = this.#canvases[0]!;
    const { scale } = this.place();
    const within = (middle: number, room: number, length: number) => (
      length <= room ? 0.5 : Math.min(1 - room / 2 / length, Math.max(room / 2 / length, middle))
    );
    this.#zoom.x = within(this.#zoom.x, width, film.width * scale);
    this.#zoom.y = within(this.#zoom.y, height, film.height * scale);
    this.redraw();
  }

  /** A moment as a canvas of its own, `scale` device pixels to a px. */
  static snapshot(film: Film, at: number, scale: number, scheme: Scheme): HTMLCanvasElement {
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(film.width * scale);
    canvas.height = Math.ceil(film.height * scale);
    const context = canvas.getContext('2d')!;
    context.fillStyle = film.page(scheme);
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.lineCap = context.lineJoin = 'round';
    const place = { scale, x: 0, y: 0 };
    film.drawBackdrop(context, place, scheme);
    const { under, between, over } = film.moment(at);
    for (const items of [under, between, over]) film.draw(context, items, place, scheme);
    return canvas;
  }
}
