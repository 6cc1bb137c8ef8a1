const topology = new TopologyBuilder(true);
 
// --- KRaft Controller ---
const controllerGroup = topology.createGroup('controller', { label: 'KRaft Controller' });
controllerGroup
  .addProcess({ id: 'controller', label: 'KRaft Controller', state: 'running' })
  .autoResize();
 
// --- Kafka Brokers ---
const brokerGroup = topology.createGroup('brokers', { label: 'Kafka Cluster (3 Brokers)' });
brokerGroup
  .addProcess({ id: 'broker-1', label: 'Broker 1 (Leader p0,p1)', state: 'running', shardId: 'p0,p1', shardRole: 'primary' })
  .addProcess({ id: 'broker-2', label: 'Broker 2 (Leader p2)',    state: 'running', shardId: 'p2',    shardRole: 'primary' })
  .addProcess({ id: 'broker-3', label: 'Broker 3 (Follower)',     state: 'running', shardRole: 'replica' })
  .autoResize();
 
// --- Schema Registry ---
const schemaGroup = topology.createGroup('schema', { label: 'Schema Registry' });
schemaGroup
  .addProcess({ id: 'schema-registry', label: 'Schema Registry', state: 'running' })
  .autoResize();
 
// --- Producers ---
const producerGroup = topology.createGroup('producers', { label: 'Producers' });
producerGroup
  .addProcess({ id: 'order-producer',  label: 'Order Service',   state: 'running' })
  .addProcess({ id: 'event-producer',  label: 'Analytics SDK',   state: 'running' })
  .addProcess({ id: 'cdc-producer',    label: 'Debezium (CDC)',   state: 'running' })
  .autoResize();
 
// --- Consumer Groups ---
const flink = topology.createGroup('flink-cg', { label: 'Consumer Group: flink-stream' });
flink
  .addProcess({ id: 'flink-1', label: 'Flink TaskManager 1', state: 'running' })
  .addProcess({ id: 'flink-2', label: 'Flink TaskManager 2', state: 'running' })
  .autoResize();
 
const spark = topology.createGroup('spark-cg', { label: 'Consumer Group: spark-batch' });
spark
  .addProcess({ id: 'spark', label: 'Spark Executor', state: 'running' })
  .autoResize();
 
// --- Connections ---
 
// Controller manages brokers
topology.connect('controller', 'broker-1', { protocol: 'tcp', label: 'metadata' });
topology.connect('controller', 'broker-2', { protocol: 'tcp', label: 'metadata' });
topology.connect('controller', 'broker-3', { protocol: 'tcp', label: 'metadata' });
 
// Follower replication (follower dials leader)
topology.connect('broker-2', 'broker-1', { protocol: 'tcp', label: 'replicate', type: 'pulse' });
topology.connect('broker-3', 'broker-1', { protocol: 'tcp', label: 'replicate', type: 'pulse' });
 
// Producers connect to brokers
topology.connect('order-producer', 'broker-1', { protocol: 'kafka', label: 'produce acks=all', type: 'pulse' });
topology.connect('event-producer', 'broker-2', { protocol: 'kafka', label: 'produce acks=1',   type: 'pulse' });
topology.connect('cdc-producer',   'broker-1', { protocol: 'kafka', label: 'produce acks=all', type: 'pulse' });
 
// Schema registry validation
topology.connect('order-producer', 'schema-registry', { protocol: 'http', label: 'validate schema' });
 
// Consumers connect to brokers (consumers dial the broker)
topology.connect('flink-1', 'broker-1', { protocol: 'kafka', label: 'fetch p0', type: 'pulse' });
topology.connect('flink-2', 'broker-2', { protocol: 'kafka', label: 'fetch p2', type: 'pulse' });
topology.connect('spark',   'broker-1', { protocol: 'kafka', label: 'batch fetch', type: 'pulse' });
 
await topology.apply();
