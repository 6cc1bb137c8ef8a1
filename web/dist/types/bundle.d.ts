/** The form of bundles that this viewer reads. */
export declare const FORM = 1;
/** One scenario's stretch of the film. Times are ms. */
export interface Scenario {
    id: string;
    title: string;
    start: number;
    end: number;
    steps: number[];
}
/** A line of what happens: when, the engine's clock then, and the words. */
export interface Line {
    at: number;
    clock: string;
    text: string;
}
/** A picture of the story, packed. */
export interface View {
    view: string;
    width: number;
    height: number;
    duration: number;
    poster: number;
    film: string;
    about?: string;
}
/** A film and the words about it: what `topomotion render -o x.topo.json` writes. */
export interface Bundle {
    'topomotion-bundle': number;
    generator: string;
    title: string;
    description: string;
    scenarios: Scenario[];
    transcript: Line[];
    views: View[];
    /** What the engine needs to go on with the runs: JSON, zlib, base64. */
    live?: string;
}
/** A mistake in what was to be played; its message is for the reader. */
export declare class ViewerError extends Error {
    name: string;
}
/** Looks whether this is a bundle; `name` is what messages call it. */
export declare function check(data: unknown, name: string): Bundle;
/** Reads the text of a bundle. */
export declare function parse(text: string, name: string): Bundle;
/** Fetches a bundle. */
export declare function load(src: string, base: string, signal: AbortSignal): Promise<Bundle>;
/** Base64 as bytes. */
export declare function letters(text: string): Uint8Array<ArrayBuffer>;
/** Base64 of zlib, unpacked. */
export declare function inflate(text: string): Promise<Uint8Array<ArrayBuffer>>;
/** The packed film of a view. */
export declare function unzip(view: View): Promise<Uint8Array>;
