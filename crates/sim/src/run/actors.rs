//! The processes around Kafka in a run: how they start, and what they are made to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_actors::schema::{Schema, SchemaType};
use topomotion_actors::{
    Actor, Downstream, Handler, RegistryConfig, SchemaConsumer, SchemaProducer,
    SchemaRegistry, Service, ServiceConfig, Statement, StreamTask,
};
use topomotion_client::{CommonConfig, TopicPlacement};
use topomotion_model::ProcessId;
use topomotion_wire::{Endpoint, HttpMethod, NodeId};

use super::body::Body;
use super::cluster::{Cluster, PORT, WALL_CLOCK_BASE_MS};
use super::connect;
use super::stage::{Stage, Stop};
use super::steps::Play;
use crate::line::actor::ActorLine;
use crate::plan::{ActorKind, ActorPlan};
use crate::{ClusterPlan, apps, serdes};

/// A registry listens here.
const REGISTRY_PORT: u16 = 8081;
/// Services listen here.
const SERVICE_PORT: u16 = 8080;

/// Where an actor listens.
pub(super) fn endpoint(actor: &ActorPlan) -> Endpoint {
    let port = match actor.kind {
        ActorKind::SchemaRegistry { .. } => REGISTRY_PORT,
        ActorKind::Service { .. } => SERVICE_PORT,
        ActorKind::Connect { .. } => connect::WORKER_PORT,
        ActorKind::Database => connect::DATABASE_PORT,
        ActorKind::Store => connect::STORE_PORT,
    };
    Endpoint { host: actor.process.0.clone(), port }
}

/// The registry that everybody asks, if there is one.
fn registry(plan: &ClusterPlan) -> Option<Endpoint> {
    let is_registry =
        |one: &&ActorPlan| matches!(one.kind, ActorKind::SchemaRegistry { .. });
    plan.actors.iter().find(is_registry).map(endpoint)
}

impl Cluster<'_> {
    /// Starts an actor; its topic, if it has one, is all that it remembers.
    pub(super) fn start_actor(&mut self, plan: &ActorPlan) {
        let Some(host) = self.host(&plan.process) else { return };
        let now = self.world.local(host);
        let actor = match &plan.kind {
            ActorKind::SchemaRegistry { bootstrap, replicas } => {
                let kafka = Endpoint { host: bootstrap.0.clone(), port: PORT };
                let common = CommonConfig {
                    clock_base_ms: WALL_CLOCK_BASE_MS,
                    seed: u64::from(self.world.starts(host)),
                    ..CommonConfig::new(plan.process.0.clone(), vec![kafka])
                };
                let replicas = replicas.iter().map(|id| NodeId(*id)).collect();
                let mut config = RegistryConfig::new(common);
                config.placement = TopicPlacement::Manual(vec![replicas]);
                serdes::set_registry(&mut config, &plan.settings);
                let random = self.world.machine_random(host);
                let registry = SchemaRegistry::start(now, config, random);
                Actor::Registry(Box::new(registry))
            }
            ActorKind::Connect { .. } | ActorKind::Database | ActorKind::Store => {
                connect::actor(self, host, plan)
            }
            ActorKind::Service { calls } => {
                let mut config = ServiceConfig::default();
                serdes::set_service(&mut config, &plan.settings);
                let called = self.plan.actors.iter();
                let called = called.filter(|one| calls.contains(&one.process));
                let downstream = |one: &ActorPlan| Downstream {
                    to: endpoint(one),
                    path: format!("/{}", one.process),
                };
                config.calls = called.map(downstream).collect();
                Actor::Service(Box::new(Service::new(config)))
            }
        };
        self.world.start(host, Body::Actor(Box::new(actor)));
    }

    /// Actors that cannot do their work yet.
    pub(super) fn actors_not_ready(&self) -> Vec<String> {
        let ready = |plan: &&ActorPlan| {
            let host = self.host(&plan.process);
            let body = host.and_then(|host| self.world.machine(host));
            matches!(body, Some(Body::Actor(actor)) if actor.is_ready())
        };
        let waiting = self.plan.actors.iter().filter(|plan| !ready(plan));
        waiting.map(|plan| plan.process.to_string()).collect()
    }
}

/// A client as it runs: with an application that its settings name, or with a serializer
/// before it or a deserializer behind it, and able to call, where there is somebody to call.
pub(super) fn fronted(plan: &ClusterPlan, process: &ProcessId, body: Body) -> Body {
    let body = match applied(plan, process, body) {
        Body::Actor(actor) => return Body::Actor(actor),
        body if plan.actors.is_empty() && !answers(plan, process) => return body,
        body => body,
    };
    let serde = |settings: Option<&BTreeMap<String, String>>| {
        registry(plan).and_then(|it| serdes::serde(settings?, it))
    };
    let actor = match body {
        Body::Producer(producer) => {
            let own = plan.producers.iter().find(|one| one.process == *process);
            let serde = serde(own.map(|own| &own.settings));
            Actor::Producer(Box::new(SchemaProducer::new(*producer, serde)))
        }
        Body::Consumer(consumer) => {
            let own = plan.consumers.iter().find(|one| one.process == *process);
            let serde = serde(own.map(|own| &own.settings));
            let consumer = SchemaConsumer::new(*consumer, serde);
            Actor::Consumer(Box::new(match answers(plan, process) {
                true => consumer.with_health(),
                false => consumer,
            }))
        }
        other => return other,
    };
    Body::Actor(Box::new(actor))
}

/// Where a consumer can be asked how it is.
pub(super) fn health(plan: &ClusterPlan, process: &ProcessId) -> Option<Endpoint> {
    let there = || Endpoint { host: process.0.clone(), port: SERVICE_PORT };
    answers(plan, process).then(there)
}

/// Whether a consumer can be asked how it is.
fn answers(plan: &ClusterPlan, process: &ProcessId) -> bool {
    let own = plan.consumers.iter().find(|one| one.process == *process);
    own.is_some_and(|own| serdes::has_health(&own.settings))
}

/// Both clients of a process with the application that its settings name.
fn applied(plan: &ClusterPlan, process: &ProcessId, body: Body) -> Body {
    let Some(own) = plan.consumers.iter().find(|one| one.process == *process) else {
        return body;
    };
    let Body::Worker(worker) = body else { return body };
    let kafka = Endpoint { host: own.bootstrap.0.clone(), port: PORT };
    let common = CommonConfig {
        clock_base_ms: WALL_CLOCK_BASE_MS,
        ..CommonConfig::new(process.0.clone(), vec![kafka])
    };
    let handler = apps::handler(&own.settings);
    let stream = apps::stream(&own.group, &own.settings);
    let actor = match (stream, handler) {
        (Some(config), _) => {
            let clients = (worker.consumer, worker.producer);
            Actor::Stream(Box::new(StreamTask::new(config, common, clients)))
        }
        (None, Some(config)) => {
            let clients = (worker.consumer, worker.producer);
            Actor::Handler(Box::new(Handler::new(config, common, clients)))
        }
        (None, None) => return Body::Worker(worker),
    };
    Body::Actor(Box::new(actor))
}

/// Starts every actor, and waits until all can do their work.
pub(super) fn set_up(stage: &mut Stage<'_>, patience_ms: u64) -> Result<(), Stop> {
    let plan = stage.cluster.plan;
    plan.actors.iter().for_each(|actor| stage.cluster.start_actor(actor));
    stage.run_until(patience_ms, |stage| stage.cluster.actors_not_ready().is_empty())
}

impl Play<'_, '_> {
    /// Has a process do what a line says, and waits for the answer, whatever it is.
    pub(super) fn actor(
        &mut self,
        index: usize,
        process: &ProcessId,
        what: &str,
    ) -> Result<(), Stop> {
        let words = format!("{process}: {what}");
        let line = match what.parse::<ActorLine>() {
            Ok(line) => line,
            Err(misread) => {
                self.verdict(index, &words, Err(misread.message));
                return Ok(());
            }
        };
        let host = self.stage.cluster.host(process);
        let runs = host.filter(|it| self.stage.cluster.world.machine(*it).is_some());
        let Some(host) = runs else {
            self.verdict(index, &words, Err(format!("{process} is down")));
            return Ok(());
        };
        self.last = Some(process.clone());
        let call = match told(self.stage.cluster.plan, line) {
            Ok(call) => call,
            Err(failure) => {
                self.verdict(index, &words, Err(failure));
                return Ok(());
            }
        };
        let mut refusal = None;
        self.stage.cluster.world.command(host, |body, now| match (body, call) {
            (Body::Actor(actor), Told::Call(to, request)) => {
                actor.call(now, &to, request);
            }
            (Body::Actor(actor), Told::Write(topic, schema)) => {
                actor.write_as(&topic, schema);
            }
            (Body::Actor(actor), Told::FailOn(word)) => actor.fail_on(now, word),
            (Body::Actor(actor), Told::Replay(topic)) => actor.replay(now, &topic),
            (Body::Actor(actor), Told::Change(statements)) => {
                refusal = actor.execute(now, statements).err();
            }
            _ => {}
        });
        if let Some(refusal) = refusal {
            self.verdict(index, &words, Err(refusal));
            return Ok(());
        }
        let answered =
            self.stage.run_until(self.limits.produce_ms, |stage| {
                match stage.cluster.world.machine(host) {
                    Some(Body::Actor(actor)) => actor.open_calls() == 0,
                    _ => true,
                }
            });
        match answered {
            Err(Stop::Late) => {
                let failure = format!("no answer within {} ms", self.limits.produce_ms);
                self.verdict(index, &words, Err(failure));
                Ok(())
            }
            other => other,
        }
    }
}

/// What a line comes to.
enum Told {
    Call(Endpoint, (HttpMethod, String, String)),
    Write(Arc<str>, Schema),
    FailOn(Option<Arc<str>>),
    Replay(Arc<str>),
    Change(Vec<Statement>),
}

fn told(plan: &ClusterPlan, line: ActorLine) -> Result<Told, String> {
    let registry = || registry(plan).ok_or("there is no schema registry".to_owned());
    Ok(match line {
        ActorLine::Register { subject, schema } => {
            let path = format!("/subjects/{subject}/versions");
            Told::Call(registry()?, (HttpMethod::Post, path, body(&schema)))
        }
        ActorLine::Check { subject, schema } => {
            let path =
                format!("/compatibility/subjects/{subject}/versions/latest?verbose=true");
            Told::Call(registry()?, (HttpMethod::Post, path, body(&schema)))
        }
        ActorLine::Level { subject, level } => {
            let path = match subject {
                Some(subject) => format!("/config/{subject}"),
                None => "/config".to_owned(),
            };
            let body = format!(r#"{{"compatibility":"{level}"}}"#);
            Told::Call(registry()?, (HttpMethod::Put, path, body))
        }
        ActorLine::Write { topic, schema } => Told::Write(topic.into(), schema),
        ActorLine::FailOn(word) => Told::FailOn(word.map(Arc::from)),
        ActorLine::Replay(topic) => Told::Replay(topic.into()),
        ActorLine::Change(statements) => Told::Change(statements),
        ActorLine::Call { to: None, method, path, body } => {
            Told::Call(registry()?, (method, path, body))
        }
        ActorLine::Call { to: Some(to), method, path, body } => {
            let known = plan.actors.iter().find(|one| one.process == to).map(endpoint);
            let known = known.or_else(|| health(plan, &to));
            let known = known.ok_or_else(|| format!("{to} answers no calls"))?;
            Told::Call(known, (method, path, body))
        }
    })
}

fn body(schema: &Schema) -> String {
    let kind = match schema.kind() {
        SchemaType::Avro => None,
        other => Some(other.name()),
    };
    let mut body = serde_json::json!({ "schema": &**schema.text() });
    if let Some(kind) = kind {
        body["schemaType"] = kind.into();
    }
    body.to_string()
}
