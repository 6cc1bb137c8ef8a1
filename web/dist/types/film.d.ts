import { type View } from './bundle';
/** Something that is drawn: its place among all items, its class, the topology's id, its name. */
export interface Item {
    index: number;
    kind: string;
    id: string;
    name: string;
}
/** Light or dark. */
export type Scheme = 'light' | 'dark';
/** Where a picture stands on a canvas: device pixels of its px, and of its corner. */
export interface Place {
    scale: number;
    x: number;
    y: number;
}
/** The module, compiled once for all players of a page. */
export declare function compile(): Promise<WebAssembly.Module>;
/** A film that can be drawn at any moment. */
export declare class Film {
    #private;
    readonly width: number;
    readonly height: number;
    readonly duration: number;
    readonly poster: number;
    /** How many items the backdrop has; those of the sprites are counted on from there. */
    readonly parts: number;
    /** Whether something of it is hidden. */
    hides: boolean;
    private constructor();
    /** Takes a view's film apart. */
    static open(view: View): Promise<Film>;
    /** The page's colour: swatch 0. */
    page(scheme: Scheme): string;
    /** What is seen at a moment, beside the backdrop: look, x, y of each item, in three stretches. */
    moment(at: number): {
        under: Float32Array;
        between: Float32Array;
        over: Float32Array;
    };
    /** What is topmost at a place, px of the picture, or which process is. */
    hit(at: number, x: number, y: number, nodes?: boolean): Item | undefined;
    /** An item by its place. */
    item(index: number): Item | undefined;
    /** What is under way at a moment. */
    air(at: number): number[];
    /** The middle of each process, by id, with its place among the items. */
    nodes(): Map<string, {
        index: number;
        x: number;
        y: number;
    }>;
    /** Hides these items, and shows all others. */
    hide(items: Iterable<number>): void;
    /** Draws the backdrop on an empty canvas; on its way to its place, with some items elsewhere and the others faint. */
    drawBackdrop(context: CanvasRenderingContext2D, place: Place, scheme: Scheme, way?: {
        by: Map<number, {
            x: number;
            y: number;
        }>;
        faint: number;
    }): void;
    /** Draws a stretch of a moment. */
    draw(context: CanvasRenderingContext2D, items: Float32Array, place: Place, scheme: Scheme): void;
}
