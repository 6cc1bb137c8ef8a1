// Groups inside groups, four deep: cloud, region, network, subnet.
const topology = new TopologyBuilder();
topology.title('Two zones of one region');

topology.createProcess({ id: 'internet', label: 'Internet', shape: 'cloud', external: true });

const cloud = topology.createGroup('cloud', { label: 'Cloud' }).autoResize();
const region = cloud.addGroup({ id: 'region', label: 'Region eu-1' }).autoResize();
const vpc = region.addGroup({ id: 'vpc', label: 'VPC 10.0.0.0/16' }).autoResize();

const zones = ['a', 'b'] as const;

vpc.addProcess({ id: 'balancer', label: 'Load Balancer', icon: 'load-balancer' });
for (const zone of zones) {
  vpc.newRow();
  const open = vpc.addGroup({ id: `public-${zone}`, label: `Public Subnet ${zone}`, style: 'dashed' }).autoResize();
  open.addProcess({ id: `nat-${zone}`, label: `NAT Gateway ${zone}`, icon: 'router' });
  const closed = vpc.addGroup({ id: `private-${zone}`, label: `Private Subnet ${zone}` }).autoResize();
  closed
    .addProcess({ id: `app-${zone}`, label: `App Server ${zone}`, icon: 'server' })
    .addProcess({ id: `db-${zone}`, label: `Database ${zone}`, shape: 'cylinder' });
}

topology.connect('internet', 'balancer', { protocol: 'https' });
for (const zone of zones) {
  topology.connect('balancer', `app-${zone}`, { protocol: 'http' });
  topology.connect(`app-${zone}`, 'db-a', { protocol: 'postgresql' });
  topology.connect(`app-${zone}`, `nat-${zone}`, { protocol: 'tcp', label: 'updates' });
  topology.connect(`nat-${zone}`, 'internet', { protocol: 'https' });
}
topology.connect('db-b', 'db-a', { protocol: 'postgresql', label: 'replicate' });

await topology.apply();

const flow = new FlowBuilder();

flow
  .scenario('request', 'A request in zone a')
  .from('internet')
  .to('balancer')
  .to('app-a')
  .to('db-a')
  .to('app-a')
  .to('balancer')
  .to('internet');

flow
  .scenario('zone-down', 'Zone a loses its server')
  .setState('app-a', 'error')
  .from('internet')
  .to('balancer')
  .to('app-a')
  .showError('[REFUSED] nobody listens')
  .from('balancer')
  .to('app-b')
  .to('db-a')
  .showMessage('[OK] zone b answers')
  .to('app-b')
  .to('balancer')
  .to('internet');

return flow;
