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
    play(): void;
    pause(): void;
    toggle(): void;
    /** To the next event of the story, or to the one before. */
    step(by: 1 | -1): void;
    /** The whole picture. */
    fit(): void;
    /** A moment (seconds, as `currentTime`) as a canvas of its own. */
    snapshot(seconds?: number, scale?: number): HTMLCanvasElement | undefined;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(name: string, before: string | null, value: string | null): void;
}
export {};
