/**
 * The names that a topomotion script may use, for editors.
 *
 * A script is the body of an async function: top-level `await` and `return` are fine, and
 * the builders are there without an import. To get completion, either import them
 * (`import { TopologyBuilder } from 'topomotion'`) or name this file in a
 * `/// <reference path="…/topomotion.d.ts" />`.
 */
declare module 'topomotion' {
  /** How a process is doing: green, yellow, red, grey. */
  export type ProcessState = 'running' | 'warning' | 'error' | 'stopped';

  /** A process's outline. */
  export type Shape = 'default' | 'cylinder' | 'diamond' | 'cloud' | 'hexagon' | 'parallelogram' | 'circle';

  /** A process's part in its shards. */
  export type ShardRole = 'primary' | 'replica' | 'arbiter';

  /**
   * What a process is, where that cannot be inferred. The last six are services to the engine, and look like what they are.
   */
  export type Role =
    | 'broker'
    | 'controller'
    | 'producer'
    | 'consumer'
    | 'schema-registry'
    | 'connect'
    | 'streams'
    | 'zookeeper'
    | 'database'
    | 'cache'
    | 'queue'
    | 'gateway'
    | 'storage'
    | 'service';

  /** Acknowledgements that a producer asks for. */
  export type Acks = 'all' | 0 | 1 | -1 | '0' | '1';

  /** Main direction of the layers. */
  export type Direction = 'down' | 'right' | 'up' | 'left';

  /** A process's icon. */
  export type Icon =
    | 'server' | 'cpu' | 'container' | 'database' | 'globe' | 'router' | 'load-balancer' | 'firewall'
    | 'dns' | 'cache' | 'browser' | 'terminal' | 'cloud' | 'shield' | 'lock' | 'user' | 'code' | 'api'
    | 'queue' | 'mail' | 'zap' | 'alert' | 'monitor' | 'mobile' | 'key' | 'memory' | 'hard-drive'
    | 'storage' | 'layers' | 'chart' | 'clock' | 'search';

  /** The name of a layer; what carries none is always shown. */
  export type Layer = string;

  /** Settings under Kafka's own names. */
  export type Settings = { [name: string]: string | number | boolean };

  /** A place in px, from the top left corner; used with `new TopologyBuilder(false)`. */
  export interface Position {
    x?: number;
    y?: number;
  }

  export interface GroupConfig extends Position {
    id?: string;
    /** Title; the id if absent. */
    label?: string;
    /** The group that it stands in, made before; for `createGroup`. */
    parent?: string;
    /** Least width in px, without `autoResize()`. */
    width?: number;
    /** Least height in px, without `autoResize()`. */
    height?: number;
    /** Border style, such as `dashed`. */
    style?: string;
    /** A role's name, or `#rrggbb`. */
    color?: string;
    layer?: Layer;
    description?: string;
  }

  /** What a process can carry; shown in its details. */
  export interface Capacity {
    maxRps?: number;
    replicas?: number;
  }

  /** A process's settings for the engine, where they cannot be inferred. */
  export interface ProcessKafka {
    acks?: Acks;
    groupId?: string;
    topics?: string[] | string;
    nodeId?: number;
    rack?: string;
    settings?: Settings;
    /** A setting under Kafka's own name, which has a dot. */
    [setting: `${string}.${string}`]: string | number | boolean;
  }

  export interface ProcessConfig extends Position {
    /** Unique among processes. */
    id: string;
    /** What stands in its box; the id if absent. */
    label?: string;
    /** The group that it stands in, made before; for `createProcess`. */
    group?: string;
    state?: ProcessState;
    shape?: Shape;
    /** By role if absent. */
    icon?: Icon;
    /** Makes `id-1 … id-n`; an edge that names the base id connects to all. */
    replicas?: number;
    /** Badge text; a list in one string is allowed: `'p0,p1'`. */
    shardId?: string | string[];
    shardRole?: ShardRole;
    /** A role's name, or `#rrggbb`; its own role's colour if absent. */
    color?: string;
    /** Outside one's own hands: drawn with a border of its own. */
    external?: boolean;
    capacity?: Capacity;
    description?: string;
    layer?: Layer;
    role?: Role;
    kafka?: ProcessKafka;
  }

  export interface EdgeOptions {
    /** Any string; `tcp`, `http`, `grpc`, `kafka`, `postgresql` and others have a look of their own. */
    protocol?: string;
    /** Any string; `pulse` pulses, `line both circle circles cross crosses` change its tips, `dashed dotted thick` its line. */
    type?: string;
    label?: string;
    layer?: Layer;
    /** `dashed`, `dotted` or `thick`. */
    style?: string;
    color?: string;
  }

  export interface TopicConfig {
    name: string;
    partitions?: number;
    replicationFactor?: number;
    minInsyncReplicas?: number;
    /** Replicas of each partition, leader first. */
    assignment?: string[][];
    settings?: Settings;
    /** A setting under Kafka's own name, which has a dot. */
    [setting: `${string}.${string}`]: string | number | boolean;
  }

  export interface ClusterConfig {
    topics?: (TopicConfig | string)[];
    settings?: Settings;
    /** Seed of everything random in its runs. */
    seed?: number;
    /** A setting under Kafka's own name, which has a dot. */
    [setting: `${string}.${string}`]: string | number | boolean;
  }

  export interface ScenarioOptions {
    layer?: Layer;
    /**
     * Settings of this run alone, under Kafka's own names: of every node and topic, or, with `producer.` or
     * `consumer.` before the name, of every such client; with a process's id before it, of that one alone
     * (`'flink-1.group.instance.id': 'a'`). `era.` names bring back how Kafka once was.
     *
     * Producers also know `compression.type`, and `value.serializer` such as `KafkaAvroSerializer`. `connect.` before
     * a name sets every Connect worker: `connect.offset.flush.interval.ms`, `connect.session.timeout.ms`,
     * `connect.insert.mode` (`insert`, `upsert`), `connect.table.include.list`.
     *
     * What a consumer's application does, for one process (`'flink-1.processing.retries': 3`) or for all:
     * - work that may fail: `processing.fails.on` (what is in the value of such a record), `processing.retries`,
     *   `processing.backoff.ms`, `processing.retry.topic`, `processing.dlq.topic`;
     * - a service that reads one topic and writes another: `processing.input.topic`, `processing.output.topic`;
     * - a stream task that counts by key: `streams.count.topic` (where the counts go), `streams.filter`
     *   (`amount >= 10`), `streams.window.ms`, `streams.having` (`count >= 3`), `commit.interval.ms`,
     *   `processing.guarantee` (`at_least_once`, `exactly_once_v2`);
     * - `health.endpoints`: `true` answers `GET /health` and `GET /ready`.
     */
    settings?: Settings;
  }

  export interface StepOptions {
    /** Your own words for the caption; numbers in braces are filled in, as in `say`. */
    caption?: string;
  }

  export interface ProduceOptions extends StepOptions {
    key?: string;
    /** Numbered if absent. */
    value?: string;
    /** Where the key shall not decide. */
    partition?: number;
    acks?: Acks;
    /** How many records; one if absent. */
    count?: number;
    /** `false` goes on at once; what becomes of the records, the next steps show. */
    await?: boolean;
  }

  export interface WaitOptions extends StepOptions {
    /** Give up after this many ms of engine time; a minute if absent. */
    timeout?: number;
  }

  /**
   * A statement about the cluster. Numbers compare by `==`, `!=`, `>=`, `<=`, `>` or `<`:
   *
   * - `no-acknowledged-record-lost`; `violation(J3)`: that invariant was broken, as it must be here;
   * - `leader(orders-0) == broker-2`, `controller == controller-1`, or `none`;
   * - `isr(orders-0) == {a, b}`, and so `elr(…)`, `replicas(…)`, `voters`;
   * - `high-watermark(orders-0) >= 1`, `log-end(…)`, `log-start(…)`, each also of one replica:
   *   `log-end(orders-0, broker-2)`; `leader-epoch(…)`, `isr-size(…)`, `partitions(orders)`, `quorum-epoch`;
   * - `position(reader, orders-0) == 5`, `records-read(reader) >= 3`, `read-twice(reader) == 0` (or of a group);
   * - `group(flink-cg) == stable` (`empty`, `preparing-rebalance`, `completing-rebalance`, `dead`, …),
   *   `generation(flink-cg) == 2`, `members(flink-cg) == 2`, `committed(flink-cg, orders-0) == 5`,
   *   `lag(flink-cg, orders) == 0`; `owns(flink-1, orders-0)`, `owned(flink-1) == {orders-0, orders-1}`,
   *   `owned(flink-1) == 2`;
   * - `holds(postgres, orders) == 2`: rows of a database's table, documents of a store's index, a stream task's count
   *   of a key, whether a Connect worker runs a task (`holds(connect-1, postgres-source-0) == 1`);
   * - `offline == 0`, `under-replicated == 0`: partitions without a leader, and with too few replicas in sync;
   * - `transaction(orders-tx) == ongoing` (`prepare-commit`, `complete-commit`, …), `producer-epoch(shop) == 1`,
   *   `last-stable(orders-0) == 3`;
   * - `told(shop, NOT_ENOUGH_REPLICAS)`, `fenced(broker-1)`, `unfenced(broker-1)`; `!` before these negates.
   *
   * In place of a process: `@controller`, `@standby` (a voter that waits for it to fail),
   * `@leader(orders-0)`, `@coordinator(flink-cg)`, `@transaction-coordinator(orders-tx)`, and `@last`, whom the latest
   * step hit.
   */
  export type Condition = string;

  /** Builds the topology. A script makes one. */
  export class TopologyBuilder {
    /** `true` computes positions; `false` keeps things with `x`, `y` where they are put. */
    constructor(autoLayout?: boolean);
    createGroup(id: string, config?: GroupConfig, position?: Position): GroupBuilder;
    createGroup(config: GroupConfig & { id: string }): GroupBuilder;
    /** A process, within the group that it names, if any. */
    createProcess(config: ProcessConfig): this;
    createProcess(id: string, config?: Omit<ProcessConfig, 'id'>): this;
    /** The source dials the target. One connection carries both directions. */
    connect(source: string, target: string, options?: EdgeOptions): this;
    /** Names the Kafka cluster that the topology shows. */
    kafka(config?: ClusterConfig): KafkaBuilder;
    /** Title above the picture. */
    title(text: string): this;
    /** A sentence or two for those who cannot see the picture. */
    description(text: string): this;
    /** Main direction of the layers. */
    direction(direction: Direction): this;
    /** Ends the topology. */
    apply(): Promise<void>;
  }

  /** Fills a group. */
  export interface GroupBuilder {
    addProcess(config: ProcessConfig): this;
    addProcess(id: string, config?: Omit<ProcessConfig, 'id'>): this;
    /** What follows goes to the next row. */
    newRow(): this;
    /** Gives the child. */
    addGroup(config: GroupConfig & { id: string }): GroupBuilder;
    addGroup(id: string, config?: GroupConfig): GroupBuilder;
    /** The size follows the contents. */
    autoResize(): this;
    layer(name: Layer): this;
  }

  /** Writes scripted scenarios; `return` it at the end of the script. */
  export class FlowBuilder {
    constructor(topology?: TopologyBuilder);
    /** Starts a scenario. */
    scenario(id: string, title?: string, description?: string, options?: ScenarioOptions): this;
    /** Sets the cursor; sends nothing. */
    from(id: string): this;
    /** A packet from the cursor, along the edge forward or else backward. */
    to(id: string): this;
    /** Text at the cursor; a `[LABEL]` prefix is set off. */
    showMessage(text: string): this;
    /** The same in red, with a glow on the process. */
    showError(text: string): this;
    /** A glow on any process; nothing waits for it. */
    flashError(id: string): this;
    /** Packets at the same time; the cursor is unset afterwards. */
    parallel(hops: [from: string, to: string][]): this;
    /** A process's state from here on. */
    setState(id: string, state: ProcessState): this;
    /** A pause in ms. */
    wait(ms: number): this;
    /** The same as `wait`. */
    delay(ms: number): this;
  }

  /** The Kafka cluster of the topology. */
  export interface KafkaBuilder {
    /** Starts a scenario that the engine runs. */
    scenario(id: string, title?: string, description?: string, options?: ScenarioOptions): ScenarioBuilder;
  }

  /** Writes scenarios that the engine runs. */
  export class ScenarioBuilder {
    constructor(kafka?: KafkaBuilder);
    /** Starts a scenario. */
    scenario(id: string, title?: string, description?: string, options?: ScenarioOptions): this;
    /** A producer sends records; goes on once all are answered or given up. */
    produce(producer: string, topic?: string, options?: ProduceOptions): this;
    produce(producer: string, options: ProduceOptions): this;
    /** The process dies at once; its disk stays. */
    crash(node: string, options?: StepOptions): this;
    /**
     * A process that is down starts. A client that is started before anything else happens to it is not there at first:
     * a new member joins its group.
     */
    start(node: string, options?: StepOptions): this;
    /** It starts again on its disk. */
    restart(node: string, options?: StepOptions): this;
    /** It stands still: a long garbage collection. */
    pause(node: string, options?: StepOptions): this;
    /** It goes on. */
    resume(node: string, options?: StepOptions): this;
    /** No message passes between the two sides. */
    partition(one: string[] | string, other: string[] | string, options?: StepOptions): this;
    /**
     * Any fault, in words: `power-loss broker-1`, `lose-disk broker-3`, `cut a > b,c`, `clog a > b`, `unclog a > b`,
     * `detain a > b`, `release a > b`, `reset a > b`, `slow a > b by 250 ms`, `throttle a > b by 1000 bytes/s`,
     * `full-disk a by 4096 bytes`, `slow-disk a by 50 ms`, `fail-disk a`, `mend-disk a`, `jump a by 500 ms`,
     * `drift a by 110 percent`.
     */
    fault(fault: string, options?: StepOptions): this;
    /** The process stops in good order (a client closes: a member leaves its group); goes on when it has. */
    shutdown(node: string, options?: StepOptions): this;
    /**
     * The admin client asks, and the run goes on when it is answered: `create-topic audit partitions=3 replicas=3`,
     * `delete-topic audit`, `grow orders to 6`, `set topic orders min.insync.replicas=1`,
     * `reassign orders-0 to b4,b5`, `elect preferred orders-0`, `elect unclean orders-0`,
     * `delete-records orders-0 before 5`, `add-voter c4`, `remove-voter c1`, `describe-quorum`,
     * `describe-group flink-cg`, `list-groups`, `delete-group flink-cg`, `delete-offsets flink-cg orders-0`. And a look at
     * a broker's disk: `dump-log segments orders-0 on broker-1` (or `indexes`, `times`, `batch`, `records`, `epochs`).
     */
    admin(line: string, options?: StepOptions): this;
    /**
     * A client does as it is told. Consumers: `seek orders-0 to 5` (or `earliest`, `latest`), `pause orders-0`,
     * `resume orders-0`, `assign orders-0,orders-1`, `subscribe orders,audit`, `unsubscribe`, `commit`,
     * `commit orders-0 to 5`, `work 200 ms per record`, `work 400 s` (the poll thread is stuck for so long), `close`.
     * Transactional producers: `init-transactions`, `begin`, `send-offsets`, `commit-transaction`, `abort-transaction`.
     * Any producer: `tombstone orders-0 user2` (a record without a value), `header correlation-id=req-7` (goes along
     * with all that its `produce` steps send from now on).
     * Those that are both: `transform orders to payments` (a transaction for each poll).
     * A database: `insert orders 1 total=5`, `update orders 1 total=7`, `delete orders 1`; with `;` between them in one
     * transaction. Consumers with `processing.` settings: `fail on poison`, `fail on nothing`, `replay orders.dlq`.
     * Anybody, of a schema registry: `register orders-value Order(id: string, note: string = "")` (or the schema in
     * full: Avro, JSON Schema, Protobuf), `check orders-value …`, `compatibility orders-value FULL`,
     * `call GET /subjects`; of a service: `call payment /pay`, or of a consumer with
     * `health.endpoints`: `call flink-1 GET /ready`. Producers: `write orders as Order(id: string)`.
     */
    client(node: string, line: string, options?: StepOptions): this;
    /** Partitions end and paused processes go on; crashed ones stay down. */
    heal(options?: StepOptions): this;
    /** Engine time passes, in ms. */
    wait(ms: number, options?: StepOptions): this;
    /** Engine time passes until the condition holds. */
    waitUntil(condition: Condition, options?: WaitOptions): this;
    /** The condition must hold now. */
    expect(condition: Condition, options?: StepOptions): this;
    /**
     * A caption of your own. Numbers that conditions know are filled in: `{lag(flink-cg, orders)}`; and `{latency}`, ms
     * that the last `produce` waited for its answer.
     */
    say(caption: string): this;
  }

  /** Any of the builders that a script may return. */
  export type Builder = FlowBuilder | ScenarioBuilder;
}

// The builders are there without an import, too.
declare const TopologyBuilder: typeof import('topomotion').TopologyBuilder;
declare const FlowBuilder: typeof import('topomotion').FlowBuilder;
declare const ScenarioBuilder: typeof import('topomotion').ScenarioBuilder;
