import { type View } from './bundle';
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
    /** What is topmost at a place, px of the picture. */
    hit(at: number, x: number, y: number): {
        id: string;
        name: string;
    } | undefined;
    /** Draws the backdrop on an empty canvas. */
    drawBackdrop(context: CanvasRenderingContext2D, place: Place, scheme: Scheme): void;
    /** Draws a stretch of a moment. */
    draw(context: CanvasRenderingContext2D, items: Float32Array, place: Place, scheme: Scheme): void;
}
