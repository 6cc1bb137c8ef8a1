//! The admin client: creates topics, and asks whatever else an administrator may ask. Any
//! broker takes the request and passes it on to the active controller; what concerns a
//! partition's log goes to its leader.
//!
//! While there is no active controller, or the leader has moved, the request is repeated, for
//! at most `default.api.timeout.ms`. Every other answer is the administrator's to read.

mod verdict;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use topomotion_wire::messages::{
    BrokerId, CreateTopicsRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{
    Duration, Endpoint, ErrorCode, Input, Instant, Machine, NodeId, Output, StrBytes,
    TopicPartition,
};

use crate::CommonConfig;
use crate::cluster::{Cluster, ClusterEvent};
use crate::errors::{error_of, is_retriable, means_stale_metadata};
use crate::metadata::topic_name;

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: Arc<str>,
    /// How its partitions are placed.
    pub placement: TopicPlacement,
    /// Settings under Kafka's names.
    pub configs: BTreeMap<String, String>,
}

/// How a new topic's partitions are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicPlacement {
    /// By the controller.
    Automatic {
        /// How many partitions; `None` means the broker's `num.partitions`.
        partitions: Option<i32>,
        /// How many copies; `None` means `default.replication.factor`.
        replication_factor: Option<i16>,
    },
    /// By hand: the replicas of each partition, the preferred leader first.
    Manual(Vec<Vec<NodeId>>),
}

/// How a request of the admin client ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Which topic.
    pub topic: Arc<str>,
    /// Why not, in the code and in the broker's own words.
    pub result: Result<(), (ErrorCode, Option<String>)>,
}

/// A request of an administrator's own making.
#[derive(Debug, Clone)]
struct Question {
    body: RequestKind,
    /// The partition whose leader is asked; any broker if there is none.
    leader_of: Option<TopicPartition>,
    /// Given up then.
    expires: Instant,
}

/// `default.api.timeout.ms`.
const API_TIMEOUT: Duration = Duration::from_millis(60_000);

/// Why a request was sent.
#[derive(Debug, Clone)]
enum Errand {
    Create(Vec<NewTopic>),
    Ask(Box<Question>),
}

/// Creates topics, and asks.
#[derive(Debug, Clone)]
pub struct Admin {
    config: CommonConfig,
    cluster: Cluster<Errand>,
    wanted: VecDeque<NewTopic>,
    questions: VecDeque<Question>,
    answers: VecDeque<ResponseKind>,
    given_up: VecDeque<ErrorCode>,
    pause: Option<Instant>,
    failures: u32,
    results: VecDeque<Created>,
}

impl Admin {
    /// An admin client that has not dialled anybody yet.
    pub fn new(config: CommonConfig) -> Admin {
        Admin {
            cluster: Cluster::new(config.clone()),
            config,
            wanted: VecDeque::new(),
            questions: VecDeque::new(),
            answers: VecDeque::new(),
            given_up: VecDeque::new(),
            pause: None,
            failures: 0,
            results: VecDeque::new(),
        }
    }

    /// Asks for a topic. The verdict comes through [`Admin::take_result`]; while the cluster
    /// cannot say, the request is repeated.
    pub fn create_topic(&mut self, now: Instant, topic: NewTopic) {
        self.wanted.push_back(topic);
        self.drive(now);
    }

    /// Asks any broker; the answer, refusals included, comes through
    /// [`Admin::take_answer`]. A request that nobody answers is repeated, and so is one that
    /// finds no active controller; see [`Admin::take_failure`].
    pub fn ask(&mut self, now: Instant, body: RequestKind) {
        let expires = now + API_TIMEOUT;
        self.questions.push_back(Question { body, leader_of: None, expires });
        self.drive(now);
    }

    /// Asks whoever leads this partition.
    pub fn ask_leader(
        &mut self,
        now: Instant,
        partition: TopicPartition,
        body: RequestKind,
    ) {
        self.cluster.metadata.follow(now, &partition.topic);
        let (leader_of, expires) = (Some(partition), now + API_TIMEOUT);
        self.questions.push_back(Question { body, leader_of, expires });
        self.drive(now);
    }

    /// The next answer.
    pub fn take_answer(&mut self) -> Option<ResponseKind> {
        self.answers.pop_front()
    }

    /// Why the next question that was given up has no answer: time ran out, or no broker
    /// that was asked knows such a request.
    pub fn take_failure(&mut self) -> Option<ErrorCode> {
        self.given_up.pop_front()
    }

    /// The next verdict.
    pub fn take_result(&mut self) -> Option<Created> {
        self.results.pop_front()
    }

    /// Gets to know a topic's leaders; see [`Admin::leader`].
    pub fn describe(&mut self, now: Instant, topic: &Arc<str>) {
        self.cluster.metadata.follow(now, topic);
        self.drive(now);
    }

    /// Who leads a partition, as far as this client knows.
    pub fn leader(&self, partition: &TopicPartition) -> Option<NodeId> {
        self.cluster.metadata.leadership(partition)?.leader
    }

    fn drive(&mut self, now: Instant) {
        self.drive_once(now);
        // What cannot be sent at all is known at once.
        while self.cluster.has_events() {
            self.drive_once(now);
        }
    }

    fn drive_once(&mut self, now: Instant) {
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand: Errand::Create(asked), body } => {
                    self.answered(now, asked, &body);
                }
                ClusterEvent::Answered { errand: Errand::Ask(question), body } => {
                    self.heard(now, *question, *body);
                }
                ClusterEvent::Lost { errand: Errand::Create(asked) } => {
                    self.again(now, asked);
                }
                ClusterEvent::Lost { errand: Errand::Ask(question) } => {
                    self.ask_again(now, *question);
                }
                ClusterEvent::Unsupported { errand: Errand::Ask(_) } => {
                    self.given_up.push_back(ErrorCode::UnsupportedVersion);
                }
                ClusterEvent::Unsupported { errand: Errand::Create(topics) } => {
                    let result = Err((ErrorCode::UnsupportedVersion, None));
                    let told = topics.into_iter();
                    let told = told.map(|topic| Created {
                        topic: topic.name,
                        result: result.clone(),
                    });
                    self.results.extend(told);
                }
            }
        }
        self.cluster.drive(now);
        self.expire(now);
        if self.pause.is_some_and(|pause| pause > now) {
            return;
        }
        if !self.wanted.is_empty()
            && let Some(to) = self.anybody(now)
            && self.cluster.ready(now, &to)
        {
            let topics: Vec<NewTopic> = self.wanted.drain(..).collect();
            let body = RequestKind::CreateTopics(create_request(&self.config, &topics));
            self.cluster.send(now, &to, body, Errand::Create(topics));
        }
        while let Some(question) = self.questions.front()
            && let Some(to) = self.addressee(now, question)
            && self.cluster.ready(now, &to)
            && let Some(question) = self.questions.pop_front()
        {
            let body = question.body.clone();
            self.cluster.send(now, &to, body, Errand::Ask(Box::new(question)));
        }
    }

    /// Takes an answer in, unless it says that somebody else should be asked, or later.
    fn heard(&mut self, now: Instant, question: Question, body: ResponseKind) {
        let errors = verdict::errors_in(&body);
        let is_stale =
            |&error: &ErrorCode| means_stale_metadata(error) || verdict::has_moved(error);
        let stale = errors.iter().copied().find(is_stale);
        match stale.filter(|_| question.leader_of.is_some()) {
            Some(error) => {
                self.cluster.doubt(error);
                self.ask_again(now, question);
            }
            None if errors.contains(&ErrorCode::NotController) => {
                self.ask_again(now, question);
            }
            None => {
                self.failures = 0;
                self.answers.push_back(body);
            }
        }
    }

    fn ask_again(&mut self, now: Instant, question: Question) {
        self.again(now, Vec::new());
        self.questions.push_front(question);
    }

    fn expire(&mut self, now: Instant) {
        let before = self.questions.len();
        self.questions.retain(|question| question.expires > now);
        let late = before - self.questions.len();
        self.given_up.extend(vec![ErrorCode::RequestTimedOut; late]);
    }

    /// A broker that can be asked.
    fn anybody(&self, now: Instant) -> Option<Endpoint> {
        let candidates = self.cluster.metadata.candidates();
        candidates.into_iter().find(|to| self.cluster.usable(now, to))
    }

    fn addressee(&self, now: Instant, question: &Question) -> Option<Endpoint> {
        match &question.leader_of {
            None => self.anybody(now),
            Some(partition) => self.cluster.metadata.leader_endpoint(partition).cloned(),
        }
    }

    fn answered(&mut self, now: Instant, asked: Vec<NewTopic>, body: &ResponseKind) {
        let ResponseKind::CreateTopics(response) = body else {
            return self.again(now, asked);
        };
        for topic in asked {
            let name = topic_name(&topic.name);
            let told = response.topics.iter().find(|told| told.name == name);
            let result = match told.map(|told| error_of(told.error_code)) {
                Some(None) => Ok(()),
                Some(Some(error)) if is_retriable(error) => {
                    self.again(now, vec![topic]);
                    continue;
                }
                Some(Some(error)) => {
                    let words = told.and_then(|told| told.error_message.as_ref());
                    Err((error, words.map(|words| words.as_str().to_owned())))
                }
                None => Err((ErrorCode::UnknownServerError, None)),
            };
            self.failures = 0;
            self.results.push_back(Created { topic: topic.name, result });
        }
    }

    fn again(&mut self, now: Instant, topics: Vec<NewTopic>) {
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(now + self.cluster.backoff(self.failures));
        self.wanted.extend(topics);
    }
}

fn create_request(config: &CommonConfig, topics: &[NewTopic]) -> CreateTopicsRequest {
    let mut request = CreateTopicsRequest::default();
    let timeout = config.request_timeout.as_millis();
    request.timeout_ms = i32::try_from(timeout).unwrap_or(i32::MAX);
    request.topics = topics.iter().map(creatable).collect();
    request
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    let mut wanted = CreatableTopic::default();
    wanted.name = topic_name(&topic.name);
    match &topic.placement {
        TopicPlacement::Automatic { partitions, replication_factor } => {
            wanted.num_partitions = partitions.unwrap_or(-1);
            wanted.replication_factor = replication_factor.unwrap_or(-1);
        }
        TopicPlacement::Manual(replicas) => {
            (wanted.num_partitions, wanted.replication_factor) = (-1, -1);
            let placed = replicas.iter().zip(0..).map(|(nodes, index)| {
                let mut placed = CreatableReplicaAssignment::default();
                placed.partition_index = index;
                placed.broker_ids = nodes.iter().map(|node| BrokerId(node.0)).collect();
                placed
            });
            wanted.assignments = placed.collect();
        }
    }
    let configs = topic.configs.iter().map(|(name, value)| {
        let mut config = CreatableTopicConfig::default();
        config.name = StrBytes::from_string(name.clone());
        config.value = Some(StrBytes::from_string(value.clone()));
        config
    });
    wanted.configs = configs.collect();
    wanted
}

impl Machine for Admin {
    fn handle(&mut self, now: Instant, input: Input) {
        self.cluster.handle(now, input);
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.cluster.tick(now);
        self.pause = self.pause.filter(|pause| *pause > now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.cluster.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        let expiry = self.questions.iter().map(|question| question.expires).min();
        [self.pause, expiry, self.cluster.deadline()].into_iter().flatten().min()
    }
}
