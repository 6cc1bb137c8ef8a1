import { type Bundle } from './bundle';
/** Something done by hand: when, in µs of engine time, and what, in the words of a run file. */
export interface Deed {
    at: number;
    do: string;
    [argument: string]: unknown;
}
/** When a run was taken over, in µs of engine time, and what was done since. */
export interface Branch {
    from: number;
    deeds: Deed[];
}
/** A run, played and drawn. */
export interface Take {
    bundle: Bundle;
    /** Engine time (µs), and playing time (ms) at which it is entered and left. */
    clock: [number, number, number][];
    /** From when on (µs) a process is `running`, `paused` or `stopped`. */
    states: [number, string, string][];
    processes: {
        id: string;
        label: string;
        kind: string;
    }[];
    topics: {
        name: string;
        partitions: number;
    }[];
    deeds: number[];
    end: number;
    notes: string[];
    digest: string;
    script: string;
}
/** The engine, with the runs of one film. */
export declare class Engine {
    #private;
    private constructor();
    /** Loads the engine (the text of a page, or a file) and gives it the runs of a bundle. */
    static open(live: string, packed: string | undefined, url: URL): Promise<Engine>;
    /** Plays a scenario: as its script has it, or as somebody went on with it. */
    play(story: string, branch?: Branch): Take;
}
/** Engine time (µs) at a moment of the film (ms). */
export declare function engineTime({ clock: knots, end }: Take, ms: number): number;
/** The moment of the film (ms) at which an instant (µs) is shown. */
export declare function playingTime({ clock: knots }: Take, time: number): number;
/** What the panel asks for. */
export interface Asks {
    /** Now, ms of the film. */
    now(): number;
    /** Goes to a moment. */
    seek(at: number): void;
    /** Shows a take, at a moment of it; plays on if so wished. */
    show(take: Take, at: number, plays: boolean): void;
    /** Back to the film. */
    leave(): void;
    tell(name: string, detail: unknown): void;
}
/** The board of levers below the picture while a run is taken over. */
export declare class Live {
    #private;
    readonly panel: HTMLDivElement;
    constructor(asks: Asks);
    get isOpen(): boolean;
    /** What was done, and when it began. */
    get branch(): Branch;
    /** The last take. */
    get take(): Take | undefined;
    /** Takes a scenario over, at a moment that is counted from its own beginning (ms of its film). */
    begin(engine: Engine, story: string, at: number): void;
    leave(): void;
    /** Does something now (or at the end of the run): what was done later is left out. */
    act(what: Omit<Deed, 'at'> & {
        do: string;
    }, atEnd?: boolean): void;
    undo(): void;
    /** Chooses a process, if it is one that runs. */
    choose(id: string): boolean;
    /** The levers fit what the process does now. */
    follow(): void;
}
