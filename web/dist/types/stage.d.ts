import { Film, type Place, type Scheme } from './film';
/** Draws a film into a box, sharp at every size. */
export declare class Stage {
    #private;
    constructor(box: HTMLElement);
    get zoom(): number;
    /** Takes another film, in these colours, on so many device pixels; what is shown next shows it. */
    open(film: Film, scheme: Scheme, width: number, height: number): void;
    /** Where the processes stand on the canvases, by id. */
    spots(): Map<string, {
        x: number;
        y: number;
    }>;
    /** Lets the processes come from where they stood before; what else there is appears meanwhile. */
    glide(before: Map<string, {
        x: number;
        y: number;
    }>): void;
    set scheme(scheme: Scheme);
    /** Fits the canvases to their box, in device pixels. */
    resize(width: number, height: number): void;
    /** Draws everything anew. */
    redraw(): void;
    /** Goes to a moment, ms. */
    show(at: number): void;
    /** Where the picture stands on the canvases. */
    place(): Place;
    /** The px of the picture at a place of the window. */
    locate(clientX: number, clientY: number): {
        x: number;
        y: number;
    };
    /** Zooms by a factor; what is at that place of the window stays there. */
    zoomBy(by: number, clientX: number, clientY: number): void;
    /** Moves the picture by CSS px. */
    panBy(x: number, y: number): void;
    /** The whole picture. */
    fit(): void;
    /** A moment as a canvas of its own, `scale` device pixels to a px. */
    static snapshot(film: Film, at: number, scale: number, scheme: Scheme): HTMLCanvasElement;
}
