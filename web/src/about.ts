// What can be told of a film and hidden in it (crates/scene/src/about.rs).
import { inflate, type View } from './bundle';

/** A part of the picture that can be hidden; `set` is `layers`, `packets` or `connections`. */
export interface Toggle { set: string; name: string; items: number[] }

interface Packed {
  lines: string[];
  items: [number, number[]][];
  facts: { of: string; at: number; lines: number[] }[];
  toggles: Toggle[];
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isPlace = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1 << 24;
const isPlaces = (value: unknown): value is number[] => Array.isArray(value) && value.every(isPlace);

export class About {
  readonly toggles: readonly Toggle[];
  readonly #lines: string[];
  readonly #items: Map<number, number[]>;
  /** By process, in order of time. */
  readonly #facts = new Map<string, { at: number; lines: number[] }[]>();

  private constructor({ lines, items, facts, toggles }: Packed) {
    this.#lines = lines;
    this.#items = new Map(items);
    this.toggles = toggles;
    for (const { of, at, lines } of facts) {
      const own = this.#facts.get(of) ?? [];
      own.push({ at, lines });
      this.#facts.set(of, own);
    }
  }

  /** What there is of a view; nothing where there is none, or none that can be read: the film plays without. */
  static async open(view: View): Promise<About> {
    const nothing: Packed = { lines: [], items: [], facts: [], toggles: [] };
    if (!view.about) return new About(nothing);
    try {
      const told = JSON.parse(new TextDecoder().decode(await inflate(view.about))) as Packed;
      const isWhole = told.lines.every(isText) && told.items.every(([item, lines]) => isPlace(item) && isPlaces(lines))
        && told.facts.every(({ of, at, lines }) => isText(of) && isPlace(at) && isPlaces(lines))
        && told.toggles.every(({ set, name, items }) => isText(set) && isText(name) && isPlaces(items));
      return new About(isWhole ? told : nothing);
    } catch {
      return new About(nothing);
    }
  }

  /** What is told of an item; the first line names it. */
  of(item: number): string[] {
    return this.#told(this.#items.get(item));
  }

  /** Whether something is known of a process. */
  knows(id: string): boolean {
    return this.#facts.has(id);
  }

  /** What is true of a process at a moment. */
  now(id: string, at: number): string[] {
    return this.#told(this.#facts.get(id)?.findLast((fact) => fact.at <= at)?.lines);
  }

  #told(lines: number[] = []): string[] {
    return lines.map((line) => this.#lines[line] ?? '');
  }
}
