import type { Bundle } from './bundle';
/** What the controls show. */
export interface Status {
    playing: boolean;
    ended: boolean;
    /** Now, and the stretch that is played, ms. */
    at: number;
    start: number;
    end: number;
    speed: number;
    loop: boolean;
    zoom: number;
}
/** What the controls ask for. */
export interface Wishes {
    toggle(): void;
    step(by: 1 | -1): void;
    seek(at: number): void;
    scenario(id: string): void;
    speed(speed: number): void;
    loop(): void;
    view(): void;
    zoom(by: number): void;
    fit(): void;
    fullscreen(): void;
    list(): void;
    layers(): void;
    help(): void;
    link(): void;
    live(): void;
}
export declare const SPEEDS: number[];
export declare class Controls {
    #private;
    readonly bar: HTMLDivElement;
    readonly list: HTMLDivElement;
    readonly help: HTMLDivElement;
    readonly scrubber: HTMLInputElement;
    constructor(wishes: Wishes);
    /** A bundle was loaded. */
    fill(bundle: Bundle): void;
    /** Where the marks are: the beginnings of scenarios and of their steps within a stretch. */
    mark(start: number, end: number, chapters: number[], steps: number[]): void;
    set scenario(id: string);
    /** The link was copied: the button says so for a moment. */
    linked(): void;
    /** Whether the page's address leads to a moment. */
    set linkable(can: boolean);
    /** Whether the run can be taken over, and whether it is. */
    live(can: boolean, is: boolean): void;
    /** Whether there is something to hide. */
    set layered(can: boolean);
    showLayers(open: boolean): void;
    set view(view: string);
    showList(open: boolean): void;
    showHelp(open: boolean): void;
    /** Shows how things are. */
    update({ playing, ended, at, start, end, speed, loop, zoom }: Status, caption: string): void;
    /** The bar's icon for full screen follows what is. */
    set fullscreen(on: boolean);
}
