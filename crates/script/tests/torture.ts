// Every kind of type that can be erased, in code that checks itself: a slip of the stripper
// is a syntax error or a thrown one.
type Pair<A, B = string> = { a: A; b: B };
interface Shape<T extends object = {}> extends Record<string, unknown> { side?: T; (x: number): string }
declare const nowhere: unique symbol;
declare function nothing(a: number): asserts a is 1;
declare module 'elsewhere' { export const x: number }
declare global { interface Window { y: string } }
import type { Nope } from './nowhere';

function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

function over(a: number): number;
function over(a: string): string;
function over(this: void, a: any, ...rest: readonly any[]): any { return a + rest.length }
check(over(1) === 1, 'overloads');

const id = <T,>(x: T): T => x;
const asynchronous = async <T extends Pair<number>>(x: T, y?: string): Promise<T> => x;
const pair: Pair<number> = { a: 1, b: 'two' } satisfies Pair<number>;
check((await asynchronous(pair)).a === 1, 'async generic');

abstract class Base<T> implements Iterable<T> {
  declare ghost: string;
  protected readonly items: T[] = [];
  static #count: number = 0;
  private cached?: T
  ['computed']: number = 2
  get!: number
  abstract later(): void;
  [key: string]: any;
  public constructor(first: T, second?: T) { this.items.push(first); if (second !== undefined) this.items.push(second) }
  public static of<T>(x: T): Base<T> { Base.#count++; return new (Base as any)(x) as Base<T> }
  public *[Symbol.iterator](): Generator<T, void, undefined> { yield* this.items }
  protected get size(): number { return this.items.length }
  isLong?(): this is Long { return this.size > 9 }
}
class Long extends Base<number> { override later(): void {} }
check([...new Long(1, 2)].join() === '1,2', 'class');
check(Base.of<string>('x')!.computed === 2, 'computed field');

// Statements that end by their line break alone.
let sum = 0
const one = 1 as const
;[1, 2].forEach((n: number) => { sum += n })
const list = [1] as number[]
;(() => { sum += list.length })()
let late: number
[sum].forEach((n) => { late = n })
check(sum === 4, 'line breaks: ' + sum);

// Types that span lines before an arrow.
const spread = (x: number): Array<
  number
> => [x];
const early = async <
  T
>(x: T) => x;
function back() {
  return <
    T
  >(x: T) => x;
}
check(spread(3)[0] === 3 && (await early(4)) === 4 && back()(5) === 5, 'lines');

const assertion = (<any>{ deep: { er: [7] } }).deep!.er![0]! as unknown as number;
check(assertion === 7, 'assertions');
const instance = new Map<string, Map<number, () => void>>([['a', new Map()]]);
const curried = id<typeof pair>;
check(curried(pair).b === 'two' && instance.size === 1, 'instantiation');
check((1 < 2) === true && 4 > 3, 'comparisons');
try { null!.x } catch (e: unknown) { check(e instanceof TypeError, 'catch') }
for (const [k, v] of Object.entries({ a: 1 }) as [string, number][]) check(k === 'a' && v === 1, 'for of');
label: for (let i = 0 as number; i < 3; i++) { if (i === 1) continue label }
const text = `a${(1 as number) + <number>1}b`;
check(text === 'a2b', 'template');
const { a: renamed = 5, ...others }: Partial<Pair<number>> = pair;
check(renamed === 1 && others.b === 'two', 'patterns');
const object = { method<T>(this: unknown, x: T): T { return x }, async *gen<T>(x: T): AsyncGenerator<T> { yield x }, get x(): number { return 1 }, set x(_: number) {} };
check(object.method(1) === 1 && object.x === 1, 'object');
const ternary = one ? (x: number): number => x : (y: string) => y;
check(ternary(8) === 8, 'ternary');
const optional = pair?.a?.toFixed?.(1) as string | undefined;
check(optional === '1.0', 'optional');

const topology: TopologyBuilder = new TopologyBuilder(true as boolean);
for (const n of [1, 2, 3] as const) topology.createProcess({ id: `p-${n satisfies number}` });
topology.connect('p-1', 'p-2' as string)
topology.connect('p-2', 'p-3')
await topology.apply();
return null as unknown as FlowBuilder;
