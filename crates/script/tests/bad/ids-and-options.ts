const topology = new TopologyBuilder(true);
const g = topology.createGroup('brokers', { label: 'Brokers', colour: 'red' });
g.addProcess({ id: 'broker-1', state: 'runing', lable: 'x' })
 .addProcess({ id: 'broker-1' })
 .addProcess({ id: 'api', replicas: 0 })
 .addProcess({ label: 'no id' });
const id = 'broker-9';
topology.connect('broker-1', 'brokr-1', { protocol: 'tcp' });
topology.connect('broker-1',
   id);
topology.connect(`broker-${7}`, 'brokers');
topology.connect('broker-1');
topology.connect('broker-1', undefined);
topology.connect('broker-1', 'broker-1', 'x', 5);
const flow = new FlowBuilder();
flow.to('broker-1').from('brokers').to('broker-1');
flow.scenario('s').from('broker-1').to('api').showMessage('[HTTP 200] ok').parallel([['broker-1', 'nix']]).showMessage('x');
return flow;
