import type { View } from './bundle';
import type { Film } from './film';
/** What the player tells of itself, and does for its readers. */
export interface Player {
    /** The moment that is shown, ms. */
    at(): number;
    /** The px of the picture at a place of the window. */
    locate(x: number, y: number): {
        x: number;
        y: number;
    };
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
export interface Layer {
    set: string;
    name: string;
    shown: boolean;
}
export declare class Ask {
    #private;
    readonly tip: HTMLDivElement;
    readonly card: HTMLDivElement;
    readonly strip: HTMLDivElement;
    constructor(player: Player);
    /** Another film; what was chosen stays as far as it can. */
    open(film: Film, view: View): Promise<void>;
    get layers(): Layer[];
    /** Which layers are shown, as the attribute has it. */
    set layer(names: string);
    toggleStrip(): boolean;
    hover(x: number, y: number, box: DOMRect): void;
    /** Opens the card about what is there; whether there is anything. */
    click(x: number, y: number, box: DOMRect): boolean;
    /** Opens the card by hand, about the first process; or closes it. */
    toggleCard(): void;
    close(): void;
    /** Time has passed: what is told of a process may be otherwise now. */
    follow(): void;
}
