//! Workers of Connect, databases and stores in a run: how they start.

use topomotion_actors::{
    Actor, ConnectConfig, ConnectWorker, Database, InsertMode, SinkConfig, SourceConfig,
};
use topomotion_client::CommonConfig;
use topomotion_model::ProcessId;
use topomotion_wire::Endpoint;

use super::cluster::{Cluster, PORT, WALL_CLOCK_BASE_MS};
use crate::plan::{ActorKind, ActorPlan};
use crate::serdes;
use crate::world::HostId;

/// A worker's REST interface would listen here.
pub(super) const WORKER_PORT: u16 = 8083;
/// Databases listen here.
pub(super) const DATABASE_PORT: u16 = 5432;
/// Stores listen here.
pub(super) const STORE_PORT: u16 = 9200;

/// A worker, a database or a store, as it starts.
pub(super) fn actor(cluster: &mut Cluster<'_>, host: HostId, plan: &ActorPlan) -> Actor {
    match &plan.kind {
        ActorKind::Connect { bootstrap, database, store } => {
            let names = (database.as_ref(), store.as_ref());
            let mut config = ConnectConfig {
                sources: source(plan, names.0).into_iter().collect(),
                sinks: sink(cluster, plan, names).into_iter().collect(),
                ..ConnectConfig::new(common(cluster, host, plan, bootstrap))
            };
            serdes::set_connect(&mut config, &plan.settings);
            let now = cluster.world.local(host);
            let random = cluster.world.machine_random(host);
            Actor::Connect(Box::new(ConnectWorker::start(now, config, random)))
        }
        ActorKind::Database => {
            let files = cluster.world.files(host);
            Actor::Database(Box::new(Database::start(&files, WALL_CLOCK_BASE_MS)))
        }
        _ => Actor::Store(Box::default()),
    }
}

fn common(
    cluster: &Cluster<'_>,
    host: HostId,
    plan: &ActorPlan,
    bootstrap: &ProcessId,
) -> CommonConfig {
    let kafka = Endpoint { host: bootstrap.0.clone(), port: PORT };
    CommonConfig {
        clock_base_ms: WALL_CLOCK_BASE_MS,
        seed: u64::from(cluster.world.starts(host)),
        ..CommonConfig::new(plan.process.0.clone(), vec![kafka])
    }
}

fn source(plan: &ActorPlan, database: Option<&ProcessId>) -> Option<SourceConfig> {
    let database = database?;
    let tables = serdes::tables(&plan.settings);
    Some(SourceConfig {
        name: format!("{database}-source").into(),
        database: Endpoint { host: database.0.clone(), port: DATABASE_PORT },
        prefix: database.0.clone(),
        tables: tables.iter().map(|table| table.as_str().into()).collect(),
    })
}

/// Its sink writes what the source produces, or else the first topic.
fn sink(
    cluster: &Cluster<'_>,
    plan: &ActorPlan,
    (database, store): (Option<&ProcessId>, Option<&ProcessId>),
) -> Option<SinkConfig> {
    let store = store?;
    let tables = serdes::tables(&plan.settings);
    let (topics, index) = match database {
        Some(database) => {
            let topics = tables.iter().map(|table| format!("{database}.{table}").into());
            (topics.collect(), tables.first()?.as_str().into())
        }
        None => {
            let topic = &cluster.plan.topics.first()?.name;
            (vec![topic.as_str().into()], topic.as_str().into())
        }
    };
    Some(SinkConfig {
        name: format!("{store}-sink").into(),
        topics,
        store: Endpoint { host: store.0.clone(), port: STORE_PORT },
        index,
        insert_mode: InsertMode::default(),
    })
}
