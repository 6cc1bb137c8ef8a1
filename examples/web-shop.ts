// A web shop with a cache before its database, and what a visitor sees when either fails.
const topology = new TopologyBuilder();
topology.title('Web shop: cache and failover');

topology.createProcess({ id: 'visitor', label: 'Visitor', icon: 'browser', external: true });

const edge = topology.createGroup('edge', { label: 'Edge' }).autoResize();
edge.addProcess({ id: 'balancer', label: 'Load Balancer', icon: 'load-balancer' });

const shop = topology.createGroup('shop', { label: 'Shop' }).autoResize();
shop.addProcess({ id: 'api', label: 'Shop API', icon: 'api', replicas: 2 });

const data = topology.createGroup('data', { label: 'Data' }).autoResize();
data
  .addProcess({ id: 'cache', label: 'Redis', icon: 'cache' })
  .newRow()
  .addProcess({ id: 'db-primary', label: 'Orders (Primary)', shape: 'cylinder', shardRole: 'primary' })
  .addProcess({ id: 'db-standby', label: 'Orders (Standby)', shape: 'cylinder', shardRole: 'replica' });

topology
  .connect('visitor', 'balancer', { protocol: 'https' })
  .connect('balancer', 'api', { protocol: 'http' })
  .connect('api', 'cache', { protocol: 'redis', label: 'look up' })
  .connect('api', 'db-primary', { protocol: 'postgresql', label: 'read, write' })
  .connect('api', 'db-standby', { protocol: 'postgresql', label: 'after failover', style: 'dashed' })
  .connect('db-standby', 'db-primary', { protocol: 'postgresql', label: 'stream WAL' });

await topology.apply();

const flow = new FlowBuilder();

flow
  .scenario('cache-hit', 'A page from the cache', 'The database is not asked at all.')
  .from('visitor')
  .showMessage('[GET] /product/42')
  .to('balancer')
  .to('api-1')
  .to('cache')
  .showMessage('[HIT] product 42, 3 s old')
  .to('api-1')
  .to('balancer')
  .to('visitor')
  .showMessage('[200] the page');

flow
  .scenario('cache-miss', 'A page from the database')
  .from('visitor')
  .to('balancer')
  .to('api-2')
  .to('cache')
  .showError('[MISS] product 42')
  .to('api-2')
  .to('db-primary')
  .showMessage('[SELECT] product 42')
  .to('api-2')
  .parallel([
    ['api-2', 'cache'],
    ['api-2', 'balancer'],
  ])
  .from('balancer')
  .to('visitor')
  .showMessage('[200] the page; the next visitor gets it from the cache');

flow
  .scenario('failover', 'The database fails over', 'Writes fail until the standby takes over.')
  .setState('db-primary', 'error')
  .flashError('db-primary')
  .from('visitor')
  .to('balancer')
  .to('api-1')
  .to('db-primary')
  .showError('[TIMEOUT] no answer for 2 s')
  .wait(800)
  .setState('db-standby', 'warning')
  .from('db-standby')
  .showMessage('[PROMOTED] the standby is the primary now')
  .setState('db-standby', 'running')
  .from('api-1')
  .to('db-standby')
  .showMessage('[INSERT] order 1001')
  .to('api-1')
  .to('balancer')
  .to('visitor')
  .showMessage('[201] order 1001');

return flow;
