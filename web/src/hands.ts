// Wheel, pointer and keys, as wishes to the player.
import { SPEEDS } from './controls';

/** What hands can ask for. */
export interface Wishes {
  /** Whether there is a film, whether it is zoomed in, and whether it fills the screen. */
  can(): boolean;
  zoomed(): boolean;
  fullscreen(): boolean;
  /** Whether an event is meant for something that lies over the picture. */
  isElsewhere(event: Event): boolean;
  zoom(by: number, x?: number, y?: number): void;
  fit(): void;
  pan(x: number, y: number): void;
  click(x: number, y: number): void;
  hover(event: PointerEvent): void;
}

/** Dragging, clicking and zooming on the picture. */
export class Hands {
  readonly #box: HTMLElement;
  readonly #wishes: Wishes;
  #drag: { x: number; y: number; moved: boolean } | undefined;

  constructor(box: HTMLElement, wishes: Wishes) {
    this.#box = box;
    this.#wishes = wishes;
  }

  /** Listens until told to stop. */
  listen(signal: AbortSignal): void {
    const on = <K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void, passive = true) => (
      this.#box.addEventListener(name, act, { signal, passive })
    );
    on('wheel', (event) => this.#wheel(event), false);
    on('pointerdown', (event) => this.#press(event));
    on('pointermove', (event) => this.#move(event));
    on('pointerup', (event) => this.#release(event));
    on('pointercancel', () => { this.#drag = undefined; });
    on('dblclick', (event) => this.#double(event));
  }

  #wheel(event: WheelEvent): void {
    if (!this.#wishes.can() || !(event.ctrlKey || event.metaKey || this.#wishes.fullscreen())) return;
    event.preventDefault();
    this.#wishes.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), event.clientX, event.clientY);
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0 || this.#wishes.isElsewhere(event)) return;
    this.#drag = { x: event.clientX, y: event.clientY, moved: false };
    if (this.#wishes.zoomed()) this.#box.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const drag = this.#drag;
    if (!drag) return this.#wishes.hover(event);
    const x = event.clientX - drag.x, y = event.clientY - drag.y;
    if (!drag.moved && Math.abs(x) + Math.abs(y) < 5) return;
    this.#drag = { x: event.clientX, y: event.clientY, moved: true };
    this.#wishes.pan(x, y);
  }

  #release(event: PointerEvent): void {
    const clicks = this.#drag && !this.#drag.moved && this.#wishes.can();
    this.#drag = undefined;
    if (clicks) this.#wishes.click(event.clientX, event.clientY);
  }

  /** A second click takes back what the first did, and looks closer. */
  #double(event: MouseEvent): void {
    if (!this.#wishes.can() || this.#wishes.isElsewhere(event)) return;
    if (this.#wishes.zoomed()) this.#wishes.fit();
    else this.#wishes.zoom(2, event.clientX, event.clientY);
  }
}

/** Whether a key is the player's, and not meant for what it was pressed in. */
export function isCommand(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return false;
  const target = event.composedPath()[0];
  const inside = target instanceof HTMLElement ? target.tagName : '';
  return !(inside === 'SELECT' || (inside === 'BUTTON' && (event.key === ' ' || event.key === 'Enter')));
}

/** The speed next to this one. */
export function faster(speed: number, by: 1 | -1): number {
  const place = SPEEDS.findIndex((one) => one >= speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, place + by))]!;
}
