// A Kafka cluster, and what happens when its leader dies. The engine runs it; every packet is real.
const topology = new TopologyBuilder(true);

topology.createGroup('control', { label: 'KRaft quorum' })
  .addProcess({ id: 'controller', label: 'Controller', role: 'controller' })
  .autoResize();

topology.createGroup('brokers', { label: 'Kafka cluster' })
  .addProcess({ id: 'broker-1', label: 'Broker 1', role: 'broker' })
  .addProcess({ id: 'broker-2', label: 'Broker 2', role: 'broker' })
  .addProcess({ id: 'broker-3', label: 'Broker 3', role: 'broker' })
  .autoResize();

topology.createProcess({ id: 'shop', label: 'Order service', role: 'producer' });
topology.createProcess({ id: 'billing', label: 'Billing', role: 'consumer' });

// An edge says who dials whom: brokers dial their controller, followers their leader, clients a broker.
for (const n of [1, 2, 3]) topology.connect(`broker-${n}`, 'controller', { protocol: 'tcp', label: 'metadata' });
for (const n of [2, 3]) topology.connect(`broker-${n}`, 'broker-1', { protocol: 'tcp', label: 'replicate' });
topology.connect('shop', 'broker-1', { protocol: 'kafka', label: 'produce', type: 'pulse' });
topology.connect('billing', 'broker-1', { protocol: 'kafka', label: 'fetch', type: 'pulse' });

const kafka = topology.kafka({
  topics: [{ name: 'orders', partitions: 1, replicationFactor: 3, minInsyncReplicas: 2 }],
});

kafka.scenario('failover', 'The leader dies')
  .produce('shop', 'orders', { key: 'order-1', acks: 'all' })
  .crash('broker-1')
  .waitUntil('leader(orders-0) != broker-1')
  .produce('shop', 'orders', { key: 'order-2', acks: 'all' })
  .expect('no-acknowledged-record-lost');

await topology.apply();
