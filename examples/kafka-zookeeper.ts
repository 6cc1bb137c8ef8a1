// Kafka as it was before KRaft: an ensemble of three keeps the metadata, and one of the brokers is the controller.
const topology = new TopologyBuilder(true);
topology.title('Kafka with ZooKeeper');

const zk = '#e1d5e7';
const broker = '#dae8fc';
const client = '#d5e8d4';

const clients = topology.createGroup('producers', { label: 'Producers' }).autoResize();
clients
  .addProcess({ id: 'producer-1', label: 'Producer 1', role: 'producer', color: client })
  .addProcess({ id: 'producer-2', label: 'Producer 2', role: 'producer', color: client });

const brokers = topology.createGroup('brokers', { label: 'Brokers' }).autoResize();
for (const n of [1, 2, 3]) brokers.addProcess({ id: `broker-${n}`, label: `Broker ${n}`, color: broker });

const ensemble = topology.createGroup('ensemble', { label: 'ZooKeeper Ensemble' }).autoResize();
for (const n of [1, 2, 3]) {
  ensemble.addProcess({ id: `zookeeper-${n}`, label: `ZooKeeper ${n}`, role: 'zookeeper', color: zk });
}

topology.connect('producer-1', 'broker-1', { protocol: 'kafka', label: 'produce' });
topology.connect('producer-2', 'broker-2', { protocol: 'kafka', label: 'produce' });
for (const n of [1, 2, 3]) {
  topology.connect(`broker-${n}`, `zookeeper-${n}`, { protocol: 'tcp', label: 'session' });
}
// Whoever is the controller tells the others: LeaderAndIsr, UpdateMetadata.
topology.connect('broker-1', 'broker-2', { protocol: 'kafka' });
topology.connect('broker-2', 'broker-3', { protocol: 'kafka' });
topology.connect('zookeeper-1', 'zookeeper-2', { protocol: 'tcp', type: 'line' });
topology.connect('zookeeper-2', 'zookeeper-3', { protocol: 'tcp', type: 'line' });

topology.kafka({
  topics: [{ name: 'orders', partitions: 3, replicationFactor: 3, minInsyncReplicas: 2 }],
});

await topology.apply();
