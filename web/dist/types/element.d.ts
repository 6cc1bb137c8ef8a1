import { type Layer } from './ask';
import { type Bundle, type Scenario } from './bundle';
/** Sites that are built on a server import this module where there are no elements. */
declare const Base: typeof HTMLElement;
export declare class TopomotionViewer extends Base {
    #private;
    static readonly observedAttributes: string[];
    constructor();
    /** The bundle that is played, if one is loaded. */
    get bundle(): Bundle | undefined;
    /** Plays another bundle; time, scenario, view and zoom stay as far as they can. */
    set bundle(bundle: Bundle | undefined);
    /** Now, in seconds of the scenario that is chosen, or of the whole film. */
    get currentTime(): number;
    set currentTime(seconds: number);
    /** How long it is, in seconds. */
    get duration(): number;
    get paused(): boolean;
    get ended(): boolean;
    /** The id of the scenario that is chosen; empty for all of them. */
    get scenario(): string;
    set scenario(id: string);
    /** Every scenario that there is. */
    get scenarios(): readonly Scenario[];
    /** `topology` or `sequence`. */
    get view(): string;
    set view(view: string);
    get speed(): number;
    set speed(speed: number);
    get loop(): boolean;
    set loop(on: boolean);
    get autoplay(): boolean;
    set autoplay(on: boolean);
    get controls(): boolean;
    set controls(on: boolean);
    get src(): string;
    set src(src: string);
    /** `auto` (the page's own), `light` or `dark`. */
    get theme(): string;
    set theme(theme: string);
    /** Which layers are shown: their names, or with `-` before them those that are not; empty for all. */
    get layer(): string;
    set layer(layer: string);
    /** Every layer, kind of packets and protocol that can be hidden. */
    get layers(): readonly Layer[];
    play(): void;
    pause(): void;
    toggle(): void;
    /** To the next event of the story, or to the one before. */
    step(by: 1 | -1): void;
    /** The whole picture. */
    fit(): void;
    /** A moment (seconds, as `currentTime`) as a canvas of its own. */
    snapshot(seconds?: number, scale?: number): HTMLCanvasElement | undefined;
    /** Whether the run of the scenario that is shown can be taken over. */
    get canTakeOver(): boolean;
    /** Whether a run is taken over. */
    get isLive(): boolean;
    /** What was done by hand, and the run as a scenario of a script, while a run is taken over. */
    get branch(): {
        from: number;
        deeds: readonly object[];
        script: string;
        digest: string;
        end: number;
    } | undefined;
    /** Goes on with the run that is shown, from this moment: loads the engine if it is not there yet. */
    takeOver(): Promise<void>;
    /** Does something in a run that is taken over: `{ do: 'crash', process: 'broker-1' }`, in the words of a run file. */
    act(deed: {
        do: string;
        [argument: string]: unknown;
    }): void;
    /** The address of this page at this moment, in the clipboard; gives it, too. */
    copyLink(): Promise<string>;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(name: string, before: string | null, value: string | null): void;
}
export {};
