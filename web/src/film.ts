// The page's half of crates/viewer/src/page.rs: a film in an instance of the wasm module, and its shapes on a canvas.
import bytes from './viewer.wasm';
import { unzip, ViewerError, type View } from './bundle';

interface Exports {
  memory: WebAssembly.Memory;
  tm_room(count: number): number;
  tm_open(): number;
  tm_numbers(): number;
  tm_text(): number;
  tm_text_length(): number;
  tm_about(): number;
  tm_backdrop(): number;
  tm_calls(look: number): number;
  tm_moment(at: number): number;
  tm_hit(at: number, x: number, y: number, nodes: number): number;
  tm_item(index: number): number;
  tm_air(at: number): number;
  tm_box(index: number): number;
  tm_hide(): void;
}

/** A shape, and its ink: a swatch, an opacity and, for lines, a width. */
interface Shape { path: Path2D; swatch: number; opacity: number; width: number; dash: number[] }

/** Something that is drawn: its place among all items, its class, the topology's id, its name. */
export interface Item { index: number; kind: string; id: string; name: string }

/** Light or dark. */
export type Scheme = 'light' | 'dark';

/** Where a picture stands on a canvas: device pixels of its px, and of its corner. */
export interface Place { scale: number; x: number; y: number }

const MODULE_MISSING = 'This browser does not run WebAssembly here (it is old, or the page’s policy lacks ‘wasm-unsafe-eval’).';

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, compiled once for all players of a page. */
export function compile(): Promise<WebAssembly.Module> {
  compiled ??= Promise.resolve().then(() => WebAssembly.compile(bytes)).catch(() => {
    throw new ViewerError(MODULE_MISSING);
  });
  return compiled;
}

/** A film that can be drawn at any moment. */
export class Film {
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly poster: number;
  readonly #wasm: Exports;
  readonly #colors: Record<Scheme, string[]> = { light: [], dark: [] };
  /** How many items the backdrop has; those of the sprites are counted on from there. */
  readonly parts: number;
  #backdrop: number[];
  /** Whether something of it is hidden. */
  hides = false;
  readonly #looks: Shape[][] = [];

  private constructor(wasm: Exports) {
    this.#wasm = wasm;
    const about = this.#numbers(wasm.tm_about());
    [this.width, this.height, this.duration, this.poster] = about as unknown as [number, number, number, number];
    for (let at = 4; at + 5 < about.length; at += 6) {
      this.#colors.light.push(`rgb(${about.slice(at, at + 3).join()})`);
      this.#colors.dark.push(`rgb(${about.slice(at + 3, at + 6).join()})`);
    }
    this.#backdrop = [...this.#numbers(wasm.tm_backdrop())];
    this.parts = this.#backdrop.length;
  }

  /** Takes a view's film apart. */
  static async open(view: View): Promise<Film> {
    const [module, packed] = await Promise.all([compile(), unzip(view)]);
    const wasm = (await WebAssembly.instantiate(module)).exports as unknown as Exports;
    try {
      const room = wasm.tm_room(packed.length);
      new Uint8Array(wasm.memory.buffer, room, packed.length).set(packed);
      if (!wasm.tm_open()) throw new ViewerError(`the bundle is damaged: ${text(wasm)}`);
      return new Film(wasm);
    } catch (error) {
      throw error instanceof ViewerError ? error : new ViewerError('the film is too large for this browser');
    }
  }

  /** The page's colour: swatch 0. */
  page(scheme: Scheme): string {
    return this.#colors[scheme][0] ?? '#fff';
  }

  /** What is seen at a moment, beside the backdrop: look, x, y of each item, in three stretches. */
  moment(at: number): { under: Float32Array; between: Float32Array; over: Float32Array } {
    const list = this.#numbers(this.#wasm.tm_moment(Math.max(0, at))).slice();
    const first = 2 + 3 * list[0]!, second = first + 3 * list[1]!;
    return { under: list.subarray(2, first), between: list.subarray(first, second), over: list.subarray(second) };
  }

  /** What is topmost at a place, px of the picture, or which process is. */
  hit(at: number, x: number, y: number, nodes = false): Item | undefined {
    const found = this.#wasm.tm_hit(Math.max(0, at), x, y, Number(nodes));
    return found ? this.item(found - 1) : undefined;
  }

  /** An item by its place. */
  item(index: number): Item | undefined {
    if (!this.#wasm.tm_item(index)) return undefined;
    const [kind = '', id = '', ...name] = text(this.#wasm).split('\n');
    return { index, kind, id, name: name.join('\n') };
  }

  /** What is under way at a moment. */
  air(at: number): number[] {
    return [...this.#numbers(this.#wasm.tm_air(Math.max(0, at)))];
  }

  /** The middle of each process, by id, with its place among the items. */
  nodes(): Map<string, { index: number; x: number; y: number }> {
    const all = new Map<string, { index: number; x: number; y: number }>();
    for (let index = 0; index < this.parts; index++) {
      const { id, kind } = this.item(index)!;
      if (!kind.startsWith('node')) continue;
      const [x = 0, y = 0, width = 0, height = 0] = this.#numbers(this.#wasm.tm_box(index));
      all.set(id, { index, x: x + width / 2, y: y + height / 2 });
    }
    return all;
  }

  /** Hides these items, and shows all others. */
  hide(items: Iterable<number>): void {
    const all = [...items];
    this.hides = all.length > 0;
    const count = Math.max(-1, ...all) + 1;
    const flags = new Uint8Array(this.#wasm.memory.buffer, this.#wasm.tm_room(count), count);
    for (const item of all) flags[item] = 1;
    this.#wasm.tm_hide();
    this.#backdrop = [...this.#numbers(this.#wasm.tm_backdrop())];
  }

  /** Draws the backdrop on an empty canvas; on its way to its place, with some items elsewhere and the others faint. */
  drawBackdrop(context: CanvasRenderingContext2D, place: Place, scheme: Scheme, way?: { by: Map<number, { x: number; y: number }>; faint: number }): void {
    for (const [index, look] of this.#backdrop.entries()) {
      const by = way?.by.get(index);
      this.#draw(context, look, by?.x ?? 0, by?.y ?? 0, place, scheme, way && !by ? way.faint : 1);
    }
  }

  /** Draws a stretch of a moment. */
  draw(context: CanvasRenderingContext2D, items: Float32Array, place: Place, scheme: Scheme): void {
    for (let at = 0; at < items.length; at += 3) this.#draw(context, items[at]!, items[at + 1]!, items[at + 2]!, place, scheme);
  }

  #draw(context: CanvasRenderingContext2D, look: number, x: number, y: number, { scale, x: left, y: top }: Place, scheme: Scheme, faint = 1): void {
    context.setTransform(scale, 0, 0, scale, left + x * scale, top + y * scale);
    const colors = this.#colors[scheme];
    for (const { path, swatch, opacity, width, dash } of this.#looks[look] ??= shapes(this.#numbers(this.#wasm.tm_calls(look)))) {
      context.globalAlpha = opacity * faint;
      if (width > 0) {
        context.strokeStyle = colors[swatch]!;
        context.lineWidth = width;
        context.setLineDash(dash);
        context.stroke(path);
      } else {
        context.fillStyle = colors[swatch]!;
        context.fill(path);
      }
    }
  }

  /** The numbers that the last call gave; valid until the next. */
  #numbers(count: number): Float32Array {
    return new Float32Array(this.#wasm.memory.buffer, this.#wasm.tm_numbers(), count);
  }
}

function text(wasm: Exports): string {
  return new TextDecoder().decode(new Uint8Array(wasm.memory.buffer, wasm.tm_text(), wasm.tm_text_length()));
}

/** The calls of a look (crates/viewer/src/canvas.rs, `call`) as paths with their ink. */
function shapes(calls: Float32Array): Shape[] {
  const found: Shape[] = [];
  let path = new Path2D();
  let at = 0;
  const next = () => calls[at++]!;
  while (at < calls.length) {
    switch (next()) {
      case 0: path = new Path2D(); break;
      case 1: path.moveTo(next(), next()); break;
      case 2: path.lineTo(next(), next()); break;
      case 3: path.quadraticCurveTo(next(), next(), next(), next()); break;
      case 4: path.bezierCurveTo(next(), next(), next(), next(), next(), next()); break;
      case 5: path.closePath(); break;
      case 6: path.roundRect(next(), next(), next(), next(), next()); break;
      case 7: {
        const x = next(), y = next(), radius = next();
        path.arc(x, y, radius, 0, 2 * Math.PI);
        path.closePath();
        break;
      }
      case 8: found.push({ path, swatch: next(), opacity: next(), width: 0, dash: [] }); break;
      default: {
        const shape = { path, swatch: next(), opacity: next(), width: next(), dash: [] as number[] };
        for (let left = next(); left > 0; left--) shape.dash.push(next());
        found.push(shape);
      }
    }
  }
  return found;
}
