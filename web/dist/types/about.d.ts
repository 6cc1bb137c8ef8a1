import { type View } from './bundle';
/** A part of the picture that can be hidden; `set` is `layers`, `packets` or `connections`. */
export interface Toggle {
    set: string;
    name: string;
    items: number[];
}
export declare class About {
    #private;
    readonly toggles: readonly Toggle[];
    private constructor();
    /** What there is of a view; nothing where there is none, or none that can be read: the film plays without. */
    static open(view: View): Promise<About>;
    /** What is told of an item; the first line names it. */
    of(item: number): string[];
    /** Whether something is known of a process. */
    knows(id: string): boolean;
    /** What is true of a process at a moment. */
    now(id: string, at: number): string[];
}
