// A page that says who dials whom and nothing of topics, settings or scenarios: what most
// scripts are at first. Its controller dials the brokers, which is drawn as written.
const topology = new TopologyBuilder(true);

const controllers = topology.createGroup('controller', { label: 'KRaft Controller' });
controllers.addProcess({ id: 'controller', label: 'KRaft Controller', state: 'running' }).autoResize();

const brokers = topology.createGroup('brokers', { label: 'Kafka Cluster (3 Brokers)' });
brokers
  .addProcess({ id: 'broker-1', label: 'Broker 1', state: 'running', shardId: 'p0,p1', shardRole: 'primary' })
  .addProcess({ id: 'broker-2', label: 'Broker 2', state: 'running', shardId: 'p2', shardRole: 'primary' })
  .addProcess({ id: 'broker-3', label: 'Broker 3', state: 'running', shardRole: 'replica' })
  .autoResize();

const around = {
  schema: ['Schema Registry', 'schema-registry'],
  producers: ['Producers', 'order-producer', 'event-producer', 'cdc-producer'],
  'flink-cg': ['Consumer Group: flink-stream', 'flink-1', 'flink-2'],
  'spark-cg': ['Consumer Group: spark-batch', 'spark'],
};
for (const [id, [label, ...members]] of Object.entries(around)) {
  const group = topology.createGroup(id, { label });
  for (const member of members) group.addProcess({ id: member, label: member, state: 'running' });
  group.autoResize();
}

for (const n of [1, 2, 3]) topology.connect('controller', `broker-${n}`, { protocol: 'tcp', label: 'metadata' });
for (const n of [2, 3]) topology.connect(`broker-${n}`, 'broker-1', { protocol: 'tcp', label: 'replicate', type: 'pulse' });
const dials = [
  ['order-producer', 'broker-1', 'produce acks=all'],
  ['event-producer', 'broker-2', 'produce acks=1'],
  ['cdc-producer', 'broker-1', 'produce acks=all'],
  ['flink-1', 'broker-1', 'fetch p0'],
  ['flink-2', 'broker-2', 'fetch p2'],
  ['spark', 'broker-1', 'batch fetch'],
];
for (const [client, broker, label] of dials) topology.connect(client, broker, { protocol: 'kafka', label, type: 'pulse' });
topology.connect('order-producer', 'schema-registry', { protocol: 'http', label: 'validate schema' });

await topology.apply();
