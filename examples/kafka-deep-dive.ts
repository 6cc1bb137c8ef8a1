// A production Kafka cluster: who dials whom, and what happens when a broker dies.
//
// The engine runs the scenarios at the end; nothing in them is drawn by hand. The same
// document as data is `kafka-deep-dive.yaml`.
const topology = new TopologyBuilder(true);
topology.title('Kafka production deep dive');
topology.description(
  'Three brokers under a KRaft controller, with producers, Kafka Connect, a schema registry and two consumer groups.',
);

// --- The cluster ---

topology
  .createGroup('controller', { label: 'KRaft Controller' })
  .addProcess({ id: 'controller', label: 'KRaft Controller', role: 'controller' })
  .autoResize();

topology
  .createGroup('brokers', { label: 'Kafka Cluster (3 Brokers)' })
  .addProcess({ id: 'broker-1', label: 'Broker 1 (Leader p0,p1)', shardId: 'p0,p1', shardRole: 'primary' })
  .addProcess({ id: 'broker-2', label: 'Broker 2 (Leader p2)', shardId: 'p2', shardRole: 'primary' })
  .addProcess({ id: 'broker-3', label: 'Broker 3 (Follower)', shardRole: 'replica' })
  .autoResize();

// --- What stands around it ---

topology
  .createGroup('schema', { label: 'Schema Registry' })
  .addProcess({ id: 'schema-registry', label: 'Schema Registry' })
  .autoResize();

topology
  .createGroup('connect', { label: 'Kafka Connect' })
  .addProcess({
    id: 'debezium',
    label: 'Debezium (CDC)',
    role: 'connect',
    kafka: { acks: 'all', topics: ['orders'] },
  })
  .autoResize();

topology
  .createGroup('producers', { label: 'Producers' })
  .addProcess({ id: 'order-producer', label: 'Order Service', kafka: { acks: 'all', topics: ['orders'] } })
  .addProcess({ id: 'event-producer', label: 'Analytics SDK', kafka: { acks: 1, topics: ['orders'] } })
  .autoResize();

const flink = topology.createGroup('flink-cg', { label: 'Consumer Group: flink-stream' });
for (const number of [1, 2]) {
  flink.addProcess({
    id: `flink-${number}`,
    label: `Flink TaskManager ${number}`,
    role: 'consumer',
    kafka: { groupId: 'flink-stream', topics: ['orders'] },
  });
}
flink.autoResize();

topology
  .createGroup('spark-cg', { label: 'Consumer Group: spark-batch' })
  .addProcess({
    id: 'spark',
    label: 'Spark Executor',
    role: 'consumer',
    kafka: { groupId: 'spark-batch', topics: ['orders'] },
  })
  .autoResize();

// --- Connections: the source dials the target ---

// Under KRaft a broker fetches metadata from its controller.
for (const broker of ['broker-1', 'broker-2', 'broker-3']) {
  topology.connect(broker, 'controller', { protocol: 'tcp', label: 'metadata' });
}

// A follower fetches from the leader, for each partition that it follows.
const replication: [follower: string, leader: string, partitions: string][] = [
  ['broker-2', 'broker-1', 'p0,p1'],
  ['broker-3', 'broker-1', 'p0,p1'],
  ['broker-1', 'broker-2', 'p2'],
  ['broker-3', 'broker-2', 'p2'],
];
for (const [follower, leader, partitions] of replication) {
  topology.connect(follower, leader, { protocol: 'tcp', label: `replicate ${partitions}`, type: 'pulse' });
}

// Clients dial the leader of the partition that they use.
topology.connect('order-producer', 'broker-1', { protocol: 'kafka', label: 'produce acks=all', type: 'pulse' });
topology.connect('event-producer', 'broker-2', { protocol: 'kafka', label: 'produce acks=1', type: 'pulse' });
topology.connect('debezium', 'broker-1', { protocol: 'kafka', label: 'produce acks=all', type: 'pulse' });
topology.connect('flink-1', 'broker-1', { protocol: 'kafka', label: 'fetch p0,p1', type: 'pulse' });
topology.connect('flink-2', 'broker-2', { protocol: 'kafka', label: 'fetch p2', type: 'pulse' });
topology.connect('spark', 'broker-1', { protocol: 'kafka', label: 'batch fetch', type: 'pulse' });

// Schemas are checked before a record is sent; the registry keeps them in a topic.
topology.connect('order-producer', 'schema-registry', { protocol: 'http', label: 'validate schema' });
topology.connect('debezium', 'schema-registry', { protocol: 'http', label: 'register schema' });
topology.connect('schema-registry', 'broker-1', { protocol: 'kafka', label: 'store schemas' });

await topology.apply();

// --- Scenarios: the engine runs them ---

const kafka = topology.kafka({
  topics: [
    {
      name: 'orders',
      partitions: 3,
      replicationFactor: 3,
      minInsyncReplicas: 2,
      assignment: [
        ['broker-1', 'broker-2', 'broker-3'],
        ['broker-1', 'broker-3', 'broker-2'],
        ['broker-2', 'broker-3', 'broker-1'],
      ],
    },
  ],
});

kafka
  .scenario('acks-all', 'Producer acks=all: the full chain', 'A record is acknowledged once every replica in sync has it.')
  .say('The producer waits until every replica in sync has the record.')
  .produce('order-producer', 'orders', { key: 'order-123', partition: 0, acks: 'all' })
  .waitUntil('high-watermark(orders-0) >= 1', { caption: 'The high watermark moves: consumers may read.' })
  .expect('isr(orders-0) == {broker-1, broker-2, broker-3}')
  .expect('no-acknowledged-record-lost');

kafka
  .scenario('leader-election', 'Broker failure: leader election', 'The leader dies; a replica in sync takes over, and nothing is lost.')
  .produce('order-producer', 'orders', { key: 'order-123', partition: 0, acks: 'all' })
  .crash('broker-1', { caption: 'Broker 1 dies with two partitions in its lead.' })
  .waitUntil('leader(orders-0) == broker-2', { caption: 'The controller notices, and promotes a replica in sync.' })
  .produce('order-producer', 'orders', { key: 'order-124', partition: 0, acks: 'all', caption: 'The producer finds the new leader.' })
  .expect('no-acknowledged-record-lost')
  .restart('broker-1')
  .waitUntil('isr-size(orders-0) == 3', { caption: 'Broker 1 comes back as a follower, and catches up.' })
  .expect('no-acknowledged-record-lost');

kafka
  .scenario('slow-follower', 'A follower falls behind', 'The leader goes on with those that keep up.')
  .pause('broker-3', { caption: 'Broker 3 stands still: a long garbage collection.' })
  .waitUntil('isr-size(orders-0) == 2', { caption: 'The leader takes it out of the replicas in sync.' })
  .produce('order-producer', 'orders', { key: 'order-125', partition: 0, acks: 'all' })
  .resume('broker-3')
  .waitUntil('isr-size(orders-0) == 3')
  .expect('no-acknowledged-record-lost');
