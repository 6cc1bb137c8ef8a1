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
export declare class Hands {
    #private;
    constructor(box: HTMLElement, wishes: Wishes);
    /** Listens until told to stop. */
    listen(signal: AbortSignal): void;
}
/** Whether a key is the player's, and not meant for what it was pressed in. */
export declare function isCommand(event: KeyboardEvent): boolean;
/** The speed next to this one. */
export declare function faster(speed: number, by: 1 | -1): number;
