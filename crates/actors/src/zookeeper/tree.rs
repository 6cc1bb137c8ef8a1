//! The tree of znodes: what every server of an ensemble makes of the same changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    Duration, SessionId, ZkAnswer, ZkError, ZkEvent, ZkLife, ZkOp, ZkSnapshot, Znode,
    Zxid,
};

/// A znode that changed, and how.
pub(super) type Seen = (ZkEvent, Arc<str>);

/// Znodes and sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub zxid: Zxid,
    nodes: BTreeMap<Arc<str>, Znode>,
    pub sessions: BTreeMap<SessionId, Duration>,
}

/// The path above this one; none above the root.
fn parent(path: &str) -> Option<&str> {
    let (above, _) = path.rsplit_once('/')?;
    (path != "/").then_some(if above.is_empty() { "/" } else { above })
}

impl Tree {
    /// A tree with these znodes, and those above them, from before all transactions.
    pub fn grown(initial: &[(Arc<str>, Arc<str>)]) -> Tree {
        let mut tree = Tree::default();
        for (path, data) in initial {
            let mut above = parent(path);
            while let Some(one) = above {
                tree.plant(one.into(), "".into(), None);
                above = parent(one);
            }
            tree.plant(path.clone(), data.clone(), None);
        }
        tree
    }

    fn plant(&mut self, path: Arc<str>, data: Arc<str>, owner: Option<SessionId>) {
        let node = Znode { data, version: 0, created: self.zxid, owner };
        self.nodes.entry(path).or_insert(node);
    }

    pub fn of(snapshot: ZkSnapshot) -> Tree {
        Tree {
            zxid: snapshot.zxid,
            nodes: snapshot.nodes.into_iter().collect(),
            sessions: snapshot.sessions.into_iter().collect(),
        }
    }

    pub fn snapshot(&self) -> ZkSnapshot {
        let nodes = self.nodes.iter().map(|(path, node)| (path.clone(), node.clone()));
        ZkSnapshot {
            zxid: self.zxid,
            nodes: nodes.collect(),
            sessions: self.sessions.iter().map(|(&id, &timeout)| (id, timeout)).collect(),
        }
    }

    pub fn node(&self, path: &str) -> Option<&Znode> {
        self.nodes.get(path)
    }

    /// The names of a znode's children.
    pub fn children(&self, path: &str) -> Vec<Arc<str>> {
        let own = self.nodes.keys().filter(|one| parent(one) == Some(path));
        own.filter_map(|one| Some(one.rsplit_once('/')?.1.into())).collect()
    }

    /// Applies a change, which has this number whether it succeeds or not.
    pub fn apply(
        &mut self,
        zxid: Zxid,
        session: Option<SessionId>,
        op: &ZkOp,
    ) -> (Result<ZkAnswer, ZkError>, Vec<Seen>) {
        self.zxid = zxid;
        let mut seen = Vec::new();
        let result = match op {
            ZkOp::CreateSession(id, timeout) => {
                self.sessions.insert(*id, *timeout);
                Ok(ZkAnswer::Connected(*id))
            }
            ZkOp::CloseSession(id) => {
                self.sessions.remove(id);
                self.bury(*id, &mut seen);
                Ok(ZkAnswer::Done)
            }
            // Whose session ended meanwhile changes nothing any more.
            _ if session.is_some_and(|id| !self.sessions.contains_key(&id)) => {
                Err(ZkError::SessionExpired)
            }
            ZkOp::Multi(ops) => {
                let before = self.nodes.clone();
                let done =
                    ops.iter().try_for_each(|op| self.change(session, op, &mut seen));
                if done.is_err() {
                    self.nodes = before;
                    seen.clear();
                }
                done.map(|()| ZkAnswer::Done)
            }
            op => self.change(session, op, &mut seen).map(|()| ZkAnswer::Done),
        };
        (result, seen)
    }

    /// Deletes the ephemeral znodes of a session.
    fn bury(&mut self, session: SessionId, seen: &mut Vec<Seen>) {
        let own = self.nodes.iter().filter(|(_, node)| node.owner == Some(session));
        let own: Vec<Arc<str>> = own.map(|(path, _)| path.clone()).collect();
        for path in own {
            self.nodes.remove(&path);
            gone(&path, seen);
        }
    }

    fn versioned(
        &mut self,
        path: &str,
        version: Option<i32>,
    ) -> Result<&mut Znode, ZkError> {
        let node = self.nodes.get_mut(path).ok_or(ZkError::NoNode)?;
        match version {
            Some(version) if version != node.version => Err(ZkError::BadVersion),
            _ => Ok(node),
        }
    }

    fn change(
        &mut self,
        session: Option<SessionId>,
        op: &ZkOp,
        seen: &mut Vec<Seen>,
    ) -> Result<(), ZkError> {
        match op {
            ZkOp::Create { path, data, life } => {
                let above = parent(path).ok_or(ZkError::NodeExists)?;
                match self.nodes.get(above) {
                    None => return Err(ZkError::NoNode),
                    // Ephemeral znodes have no children.
                    Some(node) if node.owner.is_some() => {
                        return Err(ZkError::BadArguments);
                    }
                    Some(_) => {}
                }
                if self.nodes.contains_key(path) {
                    return Err(ZkError::NodeExists);
                }
                let owner = match life {
                    ZkLife::Ephemeral => session,
                    ZkLife::Persistent => None,
                };
                seen.push((ZkEvent::NodeCreated, path.clone()));
                seen.push((ZkEvent::NodeChildrenChanged, above.into()));
                self.plant(path.clone(), data.clone(), owner);
            }
            ZkOp::SetData { path, data, version } => {
                let node = self.versioned(path, *version)?;
                node.data = data.clone();
                node.version = node.version.wrapping_add(1);
                seen.push((ZkEvent::NodeDataChanged, path.clone()));
            }
            ZkOp::Delete { path, version } => {
                self.versioned(path, *version)?;
                if !self.children(path).is_empty() {
                    return Err(ZkError::NotEmpty);
                }
                self.nodes.remove(path);
                gone(path, seen);
            }
            ZkOp::Check { path, version } => {
                self.versioned(path, Some(*version))?;
            }
            _ => return Err(ZkError::BadArguments),
        }
        Ok(())
    }
}

fn gone(path: &Arc<str>, seen: &mut Vec<Seen>) {
    seen.push((ZkEvent::NodeDeleted, path.clone()));
    if let Some(above) = parent(path) {
        seen.push((ZkEvent::NodeChildrenChanged, above.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: SessionId = SessionId(1);

    fn create(path: &str, life: ZkLife) -> ZkOp {
        ZkOp::Create { path: path.into(), data: "".into(), life }
    }

    fn set(path: &str, version: i32) -> ZkOp {
        ZkOp::SetData { path: path.into(), data: "new".into(), version: Some(version) }
    }

    fn tree() -> Tree {
        let mut tree = Tree::grown(&[("/a/b".into(), "old".into())]);
        tree.sessions.insert(ME, Duration::from_millis(1));
        tree
    }

    #[test]
    fn a_multi_does_everything_or_nothing() {
        let mut tree = tree();
        let both = ZkOp::Multi(vec![create("/c", ZkLife::Ephemeral), set("/a/b", 3)]);
        let (result, seen) = tree.apply(Zxid(1), Some(ME), &both);
        assert_eq!(result, Err(ZkError::BadVersion));
        assert!(tree.node("/c").is_none() && seen.is_empty(), "the first is undone");
        let both = ZkOp::Multi(vec![create("/c", ZkLife::Ephemeral), set("/a/b", 0)]);
        let (result, seen) = tree.apply(Zxid(2), Some(ME), &both);
        assert_eq!(result, Ok(ZkAnswer::Done));
        assert_eq!(tree.node("/a/b").map(|it| it.version), Some(1));
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn ephemeral_znodes_end_with_their_session_and_nobody_elses() {
        let mut tree = tree();
        let (_, _) = tree.apply(Zxid(1), Some(ME), &create("/mine", ZkLife::Ephemeral));
        let (_, _) = tree.apply(Zxid(2), Some(ME), &create("/stays", ZkLife::Persistent));
        let (_, seen) = tree.apply(Zxid(3), None, &ZkOp::CloseSession(ME));
        assert!(seen.contains(&(ZkEvent::NodeDeleted, "/mine".into())));
        assert!(tree.node("/mine").is_none() && tree.node("/stays").is_some());
        let late = tree.apply(Zxid(4), Some(ME), &create("/late", ZkLife::Ephemeral)).0;
        assert_eq!(late, Err(ZkError::SessionExpired));
    }

    #[test]
    fn a_znode_needs_its_parent_and_goes_before_it() {
        let mut tree = tree();
        let mut apply = |op: &ZkOp| tree.apply(Zxid(1), Some(ME), op).0;
        let orphan = create("/x/y", ZkLife::Persistent);
        assert_eq!(apply(&orphan), Err(ZkError::NoNode));
        let delete = ZkOp::Delete { path: "/a".into(), version: None };
        assert_eq!(apply(&delete), Err(ZkError::NotEmpty));
        assert_eq!(tree.children("/a"), ["b".into()]);
    }
}
