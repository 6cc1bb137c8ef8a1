type Attributes = Record<string, string | boolean>;
/** An element with attributes and children. */
export declare function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes?: Attributes, ...children: (Node | string)[]): HTMLElementTagNameMap[K];
/** Lines on a field of 16 × 16; those that begin with `.` are filled. */
declare const ICONS: {
    readonly play: readonly ['.M5 3.2v9.6l7.8-4.8z'];
    readonly pause: readonly ['M5.5 3.5v9', 'M10.5 3.5v9'];
    readonly replay: readonly ['M3.5 8a4.6 4.6 0 1 0 1.6-3.5', 'M5.4 1.8 5 4.7l2.9.3'];
    readonly back: readonly ['.M11.5 3.6v8.8L5.8 8z', 'M4 3.8v8.4'];
    readonly forward: readonly ['.M4.500 3.6v8.8L10.2 8z', 'M12 3.8v8.4'];
    readonly loop: readonly ['M3 7.500a3 3 0 0 1 3-3h6', 'm10 2.500 2 2-2 2', 'M13 8.500a3 3 0 0 1-3 3H4', 'm6 13.500-2-2 2-2'];
    readonly list: readonly ['M6 4h7.500', 'M6 8h7.500', 'M6 12h7.500', 'M2.800 4h.1', 'M2.800 8h.1', 'M2.800 12h.1'];
    readonly sequence: readonly ['M4 2.500v11', 'M12 2.500v11', 'M4 6h7.500', 'm9.800 4.300 1.700 1.700-1.700 1.700', 'M12 11H4.500'];
    readonly fit: readonly ['M2.500 6V2.500H6', 'M13.500 6V2.500H10', 'M2.500 10v3.500H6', 'M13.500 10v3.500H10', '.M6 6h4v4H6z'];
    readonly full: readonly ['M2.500 6V2.500H6', 'M13.500 6V2.500H10', 'M2.500 10v3.500H6', 'M13.500 10v3.500H10'];
    readonly in: readonly ['M8 3.500v9', 'M3.500 8h9'];
    readonly out: readonly ['M3.500 8h9'];
    readonly live: readonly ['.M8 6.2a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 0-3.600z', 'M4.600 11.400a4.800 4.800 0 0 1 0-6.800', 'M11.400 4.600a4.800 4.800 0 0 1 0 6.800', 'M2.500 13.500a7.800 7.800 0 0 1 0-11', 'M13.500 2.500a7.800 7.800 0 0 1 0 11'];
    readonly link: readonly ['M6.800 9.200a2.600 2.600 0 0 0 3.700 0l2.200-2.200a2.600 2.600 0 0 0-3.700-3.700l-.700.700', 'M9.200 6.800a2.600 2.600 0 0 0-3.700 0L3.300 9a2.600 2.600 0 0 0 3.700 3.700l.700-.700'];
    readonly layers: readonly ['M8 2.500 14 6 8 9.500 2 6z', 'm2 9.800 6 3.500 6-3.500'];
    readonly close: readonly ['m4 4 8 8', 'm12 4-8 8'];
};
export type Icon = keyof typeof ICONS;
/** A picture for a button. */
export declare function icon(name: Icon): SVGElement;
/** A button with a picture and a name. */
export declare function button(name: Icon | string, label: string, act: () => void, attributes?: Attributes): HTMLButtonElement;
/** Another picture and name for a button. */
export declare function relabel(element: HTMLButtonElement, name: Icon, label: string): void;
/** `1:05.2`, or `5.2` below a minute. */
export declare function clock(ms: number): string;
export {};
